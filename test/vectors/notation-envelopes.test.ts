import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { notationJws } from '../../src/formats/notation-jws.ts';
import { readDescriptor } from '../../src/oci/descriptor.ts';
import { makePlugins, noPlugins } from '../../src/plugins/plugins.ts';
import type { VerificationPlugins } from '../../src/plugins/verification-plugin.ts';
import type { NotationRequirement } from '../../src/verdict/identity-requirement.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { enforcementOf, makeContext, makeTrust } from '../support/notation-case.ts';
import { answerOf, metadataOf, writePlugin } from '../support/plugin-kit.ts';
import { runSteps, type StepsRun } from '../support/run-steps.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

/** The content that all envelopes of notation-go's internal/mock speak about. */
const subject = readDescriptor(
  {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    digest: 'sha256:60043cf45eaebc4c0867fea485a039b598f52fd09fd5b07b0b2d2f88fad9d74e',
    size: 528,
  },
  'the subject',
);

interface Expected {
  readonly scheme: 'notary.x509' | 'notary.x509.signingAuthority';
  /** The first enforced check that does not pass; none where the signature is trusted. */
  readonly stoppedBy?: string;
  readonly because?: RegExp;
}

const envelopes: Readonly<Record<string, Expected>> = {
  'ca_valid_sig_env.json': { scheme: 'notary.x509' },
  'sa_valid_sig_env.json': { scheme: 'notary.x509.signingAuthority' },
  // Their payload ends in padding, which base64url in JWS has not (RFC 7515, section 2).
  'ca_invalid_sig_env.json': {
    scheme: 'notary.x509',
    stoppedBy: 'envelope-readable',
    because: /payload is not base64url/,
  },
  'sa_invalid_sig_env.json': {
    scheme: 'notary.x509.signingAuthority',
    stoppedBy: 'envelope-readable',
    because: /payload is not base64url/,
  },
  'ca_expired_sig_env.json': {
    scheme: 'notary.x509',
    stoppedBy: 'expiry',
    because: /expired at 2022-07-29/,
  },
  'ca_plugin_sig_env.json': {
    scheme: 'notary.x509',
    stoppedBy: 'critical-attributes',
    because: /plugin "plugin-name": allow it under trust\.plugins/,
  },
};

function examine(
  bytes: Uint8Array,
  now: Date,
  { scheme }: Expected,
  requirement: Partial<NotationRequirement> = {},
  plugins: VerificationPlugins = noPlugins,
): Promise<StepsRun> {
  const name = scheme === 'notary.x509' ? 'ca:vectors' : 'signingAuthority:vectors';
  return runSteps(
    notationJws.examine(
      { bytes, annotations: {} },
      subject,
      {
        family: 'notation',
        name: 'vectors',
        notation: {
          level: 'strict',
          enforcement: enforcementOf.strict,
          verifyTimestamp: 'always',
          revocationTime: 'now',
          trustStores: [name],
          trustedIdentities: '*',
          ...requirement,
        },
      },
      { ...makeContext(makeTrust({ [name]: rootsOf(bytes) })), now, plugins },
    ),
  );
}

interface Document {
  readonly payload: string;
  readonly header: { readonly x5c: readonly string[] };
}

function certificatesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const { header } = JSON.parse(Buffer.from(bytes).toString()) as Document;
  return header.x5c.map((der) => Buffer.from(der, 'base64'));
}

/** The vectors come without trust anchors of their own: the last certificate is taken for one. */
function rootsOf(bytes: Uint8Array): readonly Uint8Array[] {
  return certificatesOf(bytes).slice(-1);
}

/** A time at which every certificate in the envelope is valid. */
function validTime(bytes: Uint8Array): Date {
  const starts = certificatesOf(bytes).map((der) => readCertificate(der).notBefore.getTime());
  return new Date(Math.max(...starts) + 1000);
}

const read = requireVectors(t);
if (read !== undefined) checkEnvelopes(read);

function checkEnvelopes(read: ReadVector): void {
  for (const [file, expected] of Object.entries(envelopes)) {
    t.test(`notation-go's ${file} is judged as it should be`, async (t) => {
      const bytes = read(`notation/envelopes/${file}`);
      const at = expected.stoppedBy === 'expiry' ? new Date('2022-07-30T00:00:00Z') : validTime(bytes);
      const { stoppedBy, findings, proven } = await examine(bytes, at, expected);
      t.equal(stoppedBy, expected.stoppedBy, JSON.stringify(findings));
      if (expected.because !== undefined) {
        t.match(findings[expected.stoppedBy ?? ''], { because: expected.because });
      } else {
        t.match(proven.signer, { kind: 'certificate' });
      }
    });
  }

  t.test('the one that asks for a plugin is trusted if that plugin says so', async (t) => {
    const bytes = read('notation/envelopes/ca_plugin_sig_env.json');
    const metadata = metadataOf({ name: 'plugin-name' });
    const open = (script: { readonly verify?: string; readonly metadata?: string }) => {
      const plugin = writePlugin(t, { metadata, ...script }, { name: 'plugin-name' });
      const plugins = makePlugins([plugin], { clock: makeFakeClock(), onRun: () => undefined });
      const judged = examine(bytes, validTime(bytes), { scheme: 'notary.x509' }, {}, plugins);
      return { plugin, judged };
    };
    const yes = answerOf({ processedAttributes: ['SomeKey'] });
    const { plugin, judged } = open({ verify: `echo '${yes}'` });
    const { stoppedBy, findings } = await judged;
    t.equal(stoppedBy, undefined, JSON.stringify(findings));
    t.match(plugin.questions(), [
      {
        contractVersion: '1.0',
        signature: {
          criticalAttributes: { verificationPlugin: 'plugin-name' },
          unprocessedAttributes: ['SomeKey'],
        },
        trustPolicy: { trustedIdentities: ['*'] },
      },
    ]);
    const no = { success: false, reason: 'not ours' };
    const refusing = answerOf({
      verificationResults: {
        'SIGNATURE_VERIFIER.TRUSTED_IDENTITY': no,
        'SIGNATURE_VERIFIER.REVOCATION_CHECK': { success: true },
      },
      processedAttributes: ['SomeKey'],
    });
    t.equal((await open({}).judged).stoppedBy, 'verification-plugin', 'SomeKey is not processed');
    t.equal((await open({ verify: `echo '${refusing}'` }).judged).stoppedBy, 'trusted-identity');
    await t.rejects(open({ verify: 'exit 1' }).judged, { code: 'PLUGIN_FAILED' });
    const tooOld = metadataOf({ name: 'plugin-name', version: '0.0.0-alpha' });
    t.equal((await open({ metadata: tooOld }).judged).stoppedBy, 'verification-plugin');
  });

  t.test('the valid ones are not trusted for other content, stores or identities', async (t) => {
    for (const file of ['ca_valid_sig_env.json', 'sa_valid_sig_env.json']) {
      const bytes = read(`notation/envelopes/${file}`);
      const { scheme } = envelopes[file] ?? { scheme: 'notary.x509' };
      const other = scheme === 'notary.x509' ? 'notary.x509.signingAuthority' : 'notary.x509';
      const now = validTime(bytes);
      t.equal((await examine(bytes, now, { scheme: other })).stoppedBy, 'trusted-store');
      const stranger = { trustedIdentities: [new Map([['O', 'nobody']])] };
      t.equal((await examine(bytes, now, { scheme }, stranger)).stoppedBy, 'trusted-identity');
    }
  });

  t.test('the padding is all that is wrong with the invalid ones', async (t) => {
    for (const file of ['ca_invalid_sig_env.json', 'sa_invalid_sig_env.json']) {
      const document = JSON.parse(read(`notation/envelopes/${file}`).toString()) as Document;
      const payload = document.payload.replaceAll('=', '');
      t.not(payload, document.payload);
      const bytes = Buffer.from(JSON.stringify({ ...document, payload }));
      const expected = envelopes[file] ?? { scheme: 'notary.x509' };
      t.equal((await examine(bytes, validTime(bytes), expected)).stoppedBy, undefined);
    }
  });

  t.test('certificates are read as node reads them', async (t) => {
    for (const file of Object.keys(envelopes)) {
      for (const der of certificatesOf(read(`notation/envelopes/${file}`))) {
        const ours = readCertificate(der);
        const theirs = new X509Certificate(der);
        t.same(ours.notBefore, theirs.validFromDate);
        t.same(ours.notAfter, theirs.validToDate);
        t.ok(ours.publicKey.equals(theirs.publicKey));
        const fingerprint = theirs.fingerprint256.replaceAll(':', '').toLowerCase();
        t.equal(ours.fingerprint, fingerprint);
      }
    }
  });
}
