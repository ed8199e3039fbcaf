import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTimestampToken } from '../../src/crypto/timestamp-token.ts';
import { notationCose } from '../../src/formats/notation-cose.ts';
import { notationJws, readJwsEnvelope } from '../../src/formats/notation-jws.ts';
import { buildImage } from '../support/build-image.ts';
import { enforcementOf, makeContext, makeTrust } from '../support/notation-case.ts';
import { requireTool } from '../support/require-tool.ts';
import { runSteps, type StepsRun } from '../support/run-steps.ts';
import { makeAuthority } from '../support/test-authority.ts';
import { makeChain } from '../support/test-ca.ts';
import { pushArtifact } from './support/content.ts';
import { makeNotationHome, type NotationHome, type Signer } from './support/notation-home.ts';
import { startOpensslAuthority, type TimestampAuthority } from './support/openssl-authority.ts';
import { mustRun } from './support/process.ts';
import { type Registry, startRegistry } from './support/registries.ts';
import { readSignatures } from './support/registry-reader.ts';
import { makeTemporaryFolder } from './support/temporary-folder.ts';

// The real notation signs with the timestamps of a real authority, `openssl ts`, at the real time.
t.setTimeout(120_000);
const dayMs = 86_400_000;
const now = new Date();
const inDays = (days: number): Date => new Date(now.getTime() + days * dayMs);
const signerChain = makeChain({
  leaf: { notBefore: inDays(-1).toISOString(), notAfter: inDays(1).toISOString() },
});

const kit = await openKit();
if (kit !== undefined) await testTimestamps(kit);

interface Kit {
  readonly notation: NotationHome;
  readonly openssl: string;
  readonly signer: Signer;
  readonly registry: Registry;
  readonly authorities: Readonly<Record<'EC' | 'RSA', TimestampAuthority>>;
  readonly folder: string;
  readonly push: (name: string) => Promise<Pushed>;
}

interface Pushed {
  readonly reference: string;
  readonly repository: string;
  readonly artifact: ReturnType<typeof buildImage>;
}

/** Undefined where a program is missing, which has been reported then. */
async function openKit(): Promise<Kit | undefined> {
  const [program, openssl, oras] = ['notation', 'openssl', 'oras'].map((name) =>
    requireTool(t, name),
  );
  if (program === undefined || openssl === undefined || oras === undefined) return undefined;
  const folder = await makeTemporaryFolder(t);
  const registry = await startRegistry(t, 'referrers', join(folder, 'registry'));
  if (registry === undefined) return undefined;
  const notation = makeNotationHome(program, join(folder, 'signing'));
  const startAuthority = (algorithm: 'ES256' | 'PS256'): Promise<TimestampAuthority> =>
    startOpensslAuthority(t, {
      openssl,
      chain: makeAuthority({ algorithm, authority: algorithm }),
      folder: join(folder, algorithm),
    });
  return {
    notation,
    openssl,
    registry,
    folder,
    signer: notation.addSigner('release', signerChain),
    authorities: { EC: await startAuthority('ES256'), RSA: await startAuthority('PS256') },
    async push(name) {
      const repository = `acme/${name}`;
      const artifact = buildImage({ name });
      const address = `${registry.address}/${repository}`;
      const tools = { oras, crane: oras, skopeo: oras };
      const place = { folder: join(folder, 'layouts'), tools };
      await pushArtifact('oras', artifact, `${address}:1`, place);
      return { artifact, repository, reference: `${address}@${artifact.descriptor.digest}` };
    },
  };
}

async function testTimestamps(kit: Kit): Promise<void> {
  for (const envelope of ['jws', 'cose'] as const) {
    for (const kind of ['EC', 'RSA'] as const) {
      const authority = kit.authorities[kind];
      t.test(`a ${envelope} signature with a timestamp by an ${kind} key holds`, async (t) => {
        const { notation, signer, registry } = kit;
        const pushed = await kit.push(`${envelope}-${kind.toLowerCase()}`);
        const before = authority.issued();
        const options = { signer, envelope, referrers: 'api-if-there' } as const;
        await notation.sign(pushed.reference, { ...options, timestamp: authority });
        t.equal(authority.issued(), before + 1, 'the authority was asked once');
        const theirs = await notation.verify(pushed.reference, [signer], authority.root);
        t.equal(theirs.code, 0, 'notation accepts it', { said: theirs.output });

        const { digest } = pushed.artifact.descriptor;
        const [signature] = await readSignatures(registry.origin, pushed.repository, digest);
        if (signature === undefined) throw new Error('notation has put a signature there');
        const judge = (now: Date, root?: string): Promise<StepsRun> =>
          examine(envelope, signature.envelope, pushed, signer, now, root);
        const late = inDays(2);

        const valid = await judge(now, authority.root);
        t.equal(valid.stoppedBy, undefined, 'it passes every check', { found: valid.findings });
        const time = valid.proven.trustedTime;
        t.equal((time?.latest.getTime() ?? 0) - (time?.earliest.getTime() ?? 0), 3002);
        t.equal(valid.proven.validUntil, undefined, 'no certificate ends it');

        const expired = await judge(late, authority.root);
        t.equal(expired.stoppedBy, undefined, 'the certificate has expired since');
        t.strictSame(expired.proven.trustedTime, time);

        const unasked = await judge(late);
        t.equal(unasked.stoppedBy, 'authentic-timestamp');
        const other = kit.authorities[kind === 'EC' ? 'RSA' : 'EC'];
        const stranger = await judge(late, other.root);
        t.match(stranger.findings['authentic-timestamp'], {
          outcome: 'failed',
          reason: 'certificate-expired',
          because: /no trusted authority/,
        });
        const byNotation = await notation.verify(pushed.reference, [signer], other.root);
        t.not(byNotation.code, 0, 'nor does notation trust it');
      });
    }
  }

  t.test('openssl and Assay read the same time from a token', async (t) => {
    const { notation, signer, registry, openssl, folder, authorities } = kit;
    const pushed = await kit.push('same-time');
    const options = { signer, envelope: 'jws', referrers: 'api-if-there' } as const;
    await notation.sign(pushed.reference, { ...options, timestamp: authorities.EC });
    const { digest } = pushed.artifact.descriptor;
    const [signature] = await readSignatures(registry.origin, pushed.repository, digest);
    const envelope = signature === undefined ? undefined : readJwsEnvelope(signature.envelope);
    const bytes = envelope?.timestampToken ?? new Uint8Array();
    const file = join(folder, 'token.p7s');
    writeFileSync(file, bytes);
    const words = ['ts', '-reply', '-token_in', '-in', file, '-text'];
    const said = await mustRun(openssl, words);
    const [, stamp = ''] = /^Time stamp: (.*)$/m.exec(said) ?? [];
    const { info } = readTimestampToken(bytes);
    t.same(info.genTime, new Date(stamp));
    t.equal(info.accuracyMicroseconds, 1_500_100);
    t.match(said, 'Policy OID: 1.3.6.1.4.1.99999.1');
    t.equal(info.policy, '1.3.6.1.4.1.99999.1');
  });
}

/** The checks at that time, with a timestamp asked for where a root is trusted for them. */
function examine(
  envelope: 'jws' | 'cose',
  bytes: Uint8Array,
  { artifact }: Pushed,
  signer: Signer,
  now: Date,
  root?: string,
): Promise<StepsRun> {
  const der = (file: string): Uint8Array => new X509Certificate(readFileSync(file)).raw;
  const trust = makeTrust({
    'ca:release': [der(signer.certificate)],
    ...(root !== undefined && { 'tsa:clock': [der(root)] }),
  });
  const requirement = {
    family: 'notation',
    name: 'release',
    notation: {
      level: 'strict',
      enforcement: enforcementOf.strict,
      verifyTimestamp: 'always',
      revocationTime: 'now',
      trustStores: ['ca:release', ...(root === undefined ? [] : (['tsa:clock'] as const))],
      trustedIdentities: '*',
    },
  } as const;
  const format = envelope === 'jws' ? notationJws : notationCose;
  const examination = format.examine({ bytes, annotations: {} }, artifact.descriptor, requirement, {
    ...makeContext(trust),
    now,
  });
  return runSteps(examination);
}
