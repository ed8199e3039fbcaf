import { sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cosignPayload } from '../support/cosign-payload.ts';
import { type KeyKind, testKey } from '../support/test-keys.ts';
import type { CosignScheme, VerifyOptions } from './support/cosign-home.ts';
import { type CosignTool, openCosignKit, outcomes, startJudge } from './support/cosign-kit.ts';
import type { RegistryKind } from './support/registries.ts';

// What the real cosign signs with each kind of key is trusted or not as cosign itself says,
// wherever it put the signature.
t.setTimeout(200_000);

const keys = {
  'p-256': { kind: 'EC-256' },
  // docs/differences.md, `key-hash`: without being told, cosign verifies with SHA-256.
  'p-384': { kind: 'EC-384', hash: 'sha384' },
  'p-521': { kind: 'EC-521', hash: 'sha512' },
  rsa: { kind: 'RSA-2048' },
  ed25519: { kind: 'Ed25519' },
} as const satisfies Record<string, { kind: KeyKind } & VerifyOptions>;
type KeyName = keyof typeof keys;

type Run = readonly [KeyName, CosignTool, CosignScheme, RegistryKind, keyof typeof outcomes];
const runs: readonly Run[] = [
  ['p-256', 'cosign2', 'tags', 'referrers', 'trusted'],
  ['p-256', 'cosign', 'tags', 'distribution', 'trusted'],
  ['p-256', 'cosign', 'bundles', 'referrers', 'trusted'],
  ['p-256', 'cosign', 'bundles', 'distribution', 'trusted'],
  ['p-384', 'cosign2', 'tags', 'distribution', 'trusted'],
  ['p-384', 'cosign', 'bundles', 'referrers', 'trusted'],
  ['p-521', 'cosign2', 'tags', 'referrers', 'trusted'],
  ['p-521', 'cosign', 'bundles', 'distribution', 'trusted'],
  ['rsa', 'cosign2', 'tags', 'distribution', 'trusted'],
  ['rsa', 'cosign', 'bundles', 'referrers', 'trusted'],
  // cosign signs with Ed25519ph and verifies Ed25519: what it signs so, nobody accepts.
  ['ed25519', 'cosign2', 'tags', 'referrers', 'refused'],
  ['ed25519', 'cosign', 'bundles', 'distribution', 'refused'],
];

const byKeys = (...names: readonly KeyName[]) => ({
  sigstore: { publicKeys: names.map((name) => `${name}.pub`), transparencyLog: 'not-required' },
});

const kit = await openCosignKit(t, ['referrers', 'distribution']);

if (kit !== undefined) {
  const names = Object.keys(keys) as readonly KeyName[];
  const made = names.map((name) =>
    kit.home(name, 'cosign2', testKey(keys[name].kind, `cosign ${name}`)),
  );
  const pems = (await Promise.all(made)).map(({ publicKey }) => readFileSync(publicKey, 'utf8'));
  const { judge } = await startJudge(t, kit, {
    identities: {
      ...Object.fromEntries(names.map((name) => [name, byKeys(name)])),
      'any-ec': byKeys('p-256', 'p-384', 'p-521'),
    },
    rules: [
      { repositories: ['*/by/any-ec/**'], require: { signedBy: 'any-ec' } },
      {
        repositories: ['*/by/both/**'],
        require: { allOf: [{ signedBy: 'rsa' }, { signedBy: 'p-256' }] },
      },
      ...names.map((name) => ({ repositories: [`*/by/${name}/**`], require: { signedBy: name } })),
    ],
    files: Object.fromEntries(names.map((name, index) => [`${name}.pub`, pems[index] ?? ''])),
  });

  for (const [name, tool, scheme, kind, expected] of runs) {
    t.test(`${tool} signs with ${name} in ${scheme} in ${kind}: ${expected}`, async (t) => {
      const how: VerifyOptions & { kind: KeyKind } = keys[name];
      const home = await kit.home(name, tool);
      const pushed = await kit.push(kind, `by/${name}/${tool}-${scheme}`);
      await home.sign(pushed.reference, scheme);
      const [byCosign, judged] = await Promise.all([
        home.verify(pushed.reference, scheme, how),
        judge(pushed),
      ]);
      t.equal(byCosign.code === 0, expected === 'trusted', byCosign.output);
      t.match(judged, outcomes[expected]);
    });
  }

  t.test('what an Ed25519 key signed as it is, is trusted', async (t) => {
    const home = await kit.home('ed25519', 'cosign2');
    const pushed = await kit.push('distribution', 'by/ed25519/attached');
    const { registry, repository, artifact } = pushed;
    const { digest } = artifact.descriptor;
    const payload = cosignPayload({ digest, reference: `${registry.address}/${repository}` });
    const signature = sign(null, payload, testKey('Ed25519', 'cosign ed25519'));
    const [payloadFile, signatureFile] = ['payload', 'signature'].map((name) =>
      join(kit.folder, name),
    ) as [string, string];
    writeFileSync(payloadFile, payload);
    writeFileSync(signatureFile, signature.toString('base64'));
    await home.attach(pushed.reference, payloadFile, signatureFile);
    const byCosign = await home.verify(pushed.reference, 'tags');
    t.equal(byCosign.code, 0, byCosign.output);
    t.match(await judge(pushed), outcomes.trusted);
  });

  t.test('each of several keys proves an identity, and another does not', async (t) => {
    const pushed = await kit.push('distribution', 'by/any-ec/app');
    const stranger = await kit.push('distribution', 'by/any-ec/stranger');
    const home = await kit.home('p-384', 'cosign2');
    await home.sign(pushed.reference, 'tags');
    await (await kit.home('rsa', 'cosign2')).sign(stranger.reference, 'tags');
    t.match(await judge(pushed), outcomes.trusted);
    t.match(await judge(stranger), outcomes.refused);
    const { publicKey } = await kit.home('p-256', 'cosign2');
    const byOther = await home.verify(stranger.reference, 'tags', { publicKey });
    t.not(byOther.code, 0, byOther.output);
  });

  t.test('where both must have signed, one is not enough', async (t) => {
    const [once, twice] = await Promise.all([
      kit.push('referrers', 'by/both/once'),
      kit.push('referrers', 'by/both/twice'),
    ]);
    const rsa = await kit.home('rsa', 'cosign2');
    await rsa.sign(once.reference, 'tags');
    await rsa.sign(twice.reference, 'tags');
    await (await kit.home('p-256', 'cosign')).sign(twice.reference, 'bundles');
    t.match(await judge(once), { status: 403, reason: 'not-enough-signers' });
    t.match(await judge(twice), outcomes.trusted);
  });
}
