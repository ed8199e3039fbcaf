import { sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { legacyAnnotations } from '../../src/formats/sigstore/legacy-annotations.ts';
import { cosignPayload } from '../support/cosign-payload.ts';
import { testKey } from '../support/test-keys.ts';
import { type EvidenceChanges, putEvidence, readEvidence } from './support/cosign-evidence.ts';
import type { CosignScheme } from './support/cosign-home.ts';
import {
  type CosignTool,
  failedChecks,
  openCosignKit,
  outcomes,
  type Pushed,
  startJudge,
} from './support/cosign-kit.ts';
import type { RegistryKind } from './support/registries.ts';

// What somebody did to a signature of the real cosign, or how one was made otherwise: Assay and
// cosign refuse the same, but for what docs/differences.md explains.
t.setTimeout(200_000);

const { signature } = legacyAnnotations;
const key = testKey('EC-256', 'cosign attacks');
const schemes = [
  { scheme: 'tags', tool: 'cosign2', kind: 'distribution' },
  { scheme: 'bundles', tool: 'cosign', kind: 'referrers' },
] as const satisfies readonly { scheme: CosignScheme; tool: CosignTool; kind: RegistryKind }[];

interface Attack {
  readonly change: (victim: Pushed) => EvidenceChanges;
  /** The check that must see it. */
  readonly at: string;
  /** `signature-invalid` unless told. */
  readonly reason?: 'no-trusted-signer';
}

const bundle = (edit: (bundle: Bundle) => void) => (layer: Buffer) => {
  const read = JSON.parse(layer.toString()) as Bundle;
  edit(read);
  return JSON.stringify(read);
};

interface Bundle {
  readonly dsseEnvelope: { payload: string; signatures: { sig: string }[] };
}

/** The image that a statement or payload names, in its place another. */
const renamed = (text: string, { artifact, repository }: Pushed): string =>
  text
    .replace(/[0-9a-f]{64}/, artifact.descriptor.digest.slice(7))
    .replace('/good"', `/${repository}"`);

const attacks: Readonly<Record<CosignScheme, Readonly<Record<string, Attack>>>> = {
  tags: {
    'of another image': { change: () => ({}), at: 'payload-names-subject' },
    'without the signature': {
      change: () => ({ annotations: (all) => ({ ...all, [signature]: '' }) }),
      at: 'envelope-readable',
    },
    'over a payload that names this image now': {
      change: (victim) => ({ layer: (layer) => renamed(layer.toString(), victim) }),
      at: 'signature-verifies',
      // Under tags nothing says whose it is.
      reason: 'no-trusted-signer',
    },
    'over an empty payload': { change: () => ({ layer: () => '{}' }), at: 'payload-names-subject' },
  },
  bundles: {
    'of another image': { change: () => ({}), at: 'payload-names-subject' },
    'without the signature': {
      change: () => ({
        layer: bundle(({ dsseEnvelope }) => {
          dsseEnvelope.signatures = [];
        }),
      }),
      at: 'envelope-readable',
    },
    'with half of the bundle': {
      change: () => ({ layer: (layer) => layer.subarray(0, layer.length / 2) }),
      at: 'envelope-readable',
    },
    'over a statement that names this image now': {
      change: (victim) => ({
        layer: bundle(({ dsseEnvelope }) => {
          const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString();
          dsseEnvelope.payload = Buffer.from(renamed(statement, victim)).toString('base64');
        }),
      }),
      at: 'signature-verifies',
    },
  },
};

const kit = await openCosignKit(t, ['referrers', 'distribution']);

if (kit !== undefined) {
  const home = await kit.home('trusted', 'cosign2', key);
  const pem = readFileSync(home.publicKey, 'utf8');
  const byKey = { publicKeys: ['acme.pub'], transparencyLog: 'not-required' };
  const { judge } = await startJudge(t, kit, {
    identities: {
      release: { sigstore: byKey },
      elsewhere: { sigstore: { ...byKey, signedAs: ['registry.example.test/staging'] } },
    },
    rules: [
      { repositories: ['*/elsewhere/**'], require: { signedBy: 'elsewhere' } },
      { repositories: ['*/**'], require: { signedBy: 'release' } },
    ],
    files: { 'acme.pub': pem },
  });

  for (const { scheme, tool, kind } of schemes) {
    t.test(`${scheme}: a signature that was tampered with`, async (t) => {
      const cosign = await kit.home('trusted', tool);
      const signed = await kit.push(kind, 'good');
      await cosign.sign(signed.reference, scheme);
      const evidence = await readEvidence(signed, scheme);
      const entries: readonly (readonly [string, Attack])[] = Object.entries(attacks[scheme]);
      for (const [index, [what, attack]] of entries.entries()) {
        const { change, at, reason = 'signature-invalid' } = attack;
        const victim = await kit.push(kind, `attack/${index}`);
        await putEvidence(victim, evidence, change(victim));
        const [byCosign, judged] = await Promise.all([
          cosign.verify(victim.reference, scheme),
          judge(victim),
        ]);
        t.not(byCosign.code, 0, `${what}: ${byCosign.output}`);
        t.match(judged, { ...outcomes.refused, reason }, what);
        t.strictSame(failedChecks(judged), [at], what);
      }
      t.match(await judge(signed), outcomes.trusted, 'the good one is');
    });

    t.test(`${scheme}: a signature by another key`, async (t) => {
      const stranger = await kit.home('stranger', tool);
      const pushed = await kit.push(kind, `stranger/${scheme}`);
      await stranger.sign(pushed.reference, scheme);
      const { publicKey } = home;
      const byCosign = await stranger.verify(pushed.reference, scheme, { publicKey });
      t.not(byCosign.code, 0, byCosign.output);
      const judged = await judge(pushed);
      t.match(judged, { ...outcomes.refused, reason: 'no-trusted-signer' });
      t.strictSame(failedChecks(judged), ['signature-verifies']);
    });

    t.test(`${scheme}: an attestation where a signature is demanded`, async (t) => {
      const cosign = await kit.home('trusted', tool);
      const pushed = await kit.push(kind, `attested/${scheme}`);
      await cosign.attest(pushed.reference, 'custom', scheme);
      const attested = await cosign.verifyAttestation(pushed.reference, 'custom', scheme);
      t.equal(attested.code, 0, attested.output);
      // docs/differences.md, `attestation-is-no-signature`: a bundle is one to cosign verify.
      const byCosign = await cosign.verify(pushed.reference, scheme);
      t.equal(byCosign.code === 0, scheme === 'bundles', byCosign.output);
      t.match(await judge(pushed), outcomes.refused);
    });
  }

  t.test('half of a signature is none', async (t) => {
    const pushed = await kit.push('distribution', 'half');
    await home.sign(pushed.reference, 'tags');
    await putEvidence(pushed, await readEvidence(pushed, 'tags'), {
      annotations: (all) => ({ ...all, [signature]: all[signature]?.slice(0, 48) ?? '' }),
    });
    const byCosign = await home.verify(pushed.reference, 'tags');
    t.not(byCosign.code, 0, byCosign.output);
    t.strictSame(failedChecks(await judge(pushed)), ['signature-verifies']);
  });

  t.test('a signature with annotations is as good as one without', async (t) => {
    const pushed = await kit.push('distribution', 'annotated');
    await home.sign(pushed.reference, 'tags', { annotations: { team: 'release', build: '7' } });
    t.match(await judge(pushed), outcomes.trusted);
  });

  t.test('signed under another name: difference docker-reference', async (t) => {
    const identity = 'registry.example.test/staging/app';
    const unmapped = await kit.push('distribution', 'named-otherwise');
    const mapped = await kit.push('distribution', 'elsewhere/app');
    for (const { reference } of [unmapped, mapped])
      await home.sign(reference, 'tags', { identity });
    for (const { reference } of [unmapped, mapped]) {
      t.equal((await home.verify(reference, 'tags')).code, 0, 'cosign does not look');
    }
    const judged = await judge(unmapped);
    t.match(judged, { ...outcomes.refused, reason: 'signature-invalid' });
    t.strictSame(failedChecks(judged), ['payload-names-subject']);
    t.match(await judge(mapped), outcomes.trusted, 'with signedAs');
  });

  const payloads: Readonly<Record<string, (good: string) => string>> = {
    'payload-type': (good) => good.replace('cosign container image', 'atomic container'),
    'strict-payload': (good) => good.replace('"optional"', '"more":1,"optional"'),
    'ambiguous-payload': (good) => good.replace('"critical"', '"critical":{},"critical"'),
  };
  for (const [id, change] of Object.entries(payloads)) {
    t.test(
      `a payload of the trusted key that is not as cosign writes it: difference ${id}`,
      async (t) => {
        const pushed = await kit.push('distribution', id);
        const { registry, repository, artifact } = pushed;
        const reference = `${registry.address}/${repository}`;
        const good = String(cosignPayload({ digest: artifact.descriptor.digest, reference }));
        const files = {
          payload: join(kit.folder, `${id}.json`),
          made: join(kit.folder, `${id}.sig`),
        };
        writeFileSync(files.payload, change(good));
        writeFileSync(
          files.made,
          sign('sha256', Buffer.from(change(good)), key).toString('base64'),
        );
        await home.attach(pushed.reference, files.payload, files.made);
        const byCosign = await home.verify(pushed.reference, 'tags');
        t.equal(byCosign.code, 0, byCosign.output);
        const judged = await judge(pushed);
        t.match(judged, { ...outcomes.refused, reason: 'signature-invalid' });
        t.strictSame(failedChecks(judged), ['payload-names-subject']);
      },
    );
  }
}
