import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { acme, reasonOf, signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { worldRoot } from '../support/sigstore-case.ts';
import { keylessLayer, keylessSignature, signatureTag } from '../support/sign-keyless.ts';
import { type BuiltCertificate, makeChain } from '../support/test-ca.ts';
import { trustedRootJson } from '../support/trusted-root.ts';

// A signature counts for nothing once any certificate that it was proven by is denied.
const at = new Date('2030-01-01T00:00:00Z');
const by = { subject: 'dev@acme.test', issuer: 'https://accounts.acme.test', at };
const token = 'a-token-of-more-than-thirty-two-characters';

const notation = buildImage({ name: 'notation' });
const keyless = buildImage({ name: 'keyless' });
const layer = keylessLayer({ of: keyless.descriptor, reference: 'reg/keyless', ...by });
const leafPem = layer.descriptor.annotations?.['dev.sigstore.cosign/certificate'] ?? '';
const [, intermediate, root] = makeChain({ authority: 'acme' }).certificates;

const registry = await openScriptedRegistry(t);
registry.put('notation', notation, 'v1');
registry.put('notation', signatureOf(notation.descriptor));
registry.put('keyless', keyless, 'v1');
registry.put('keyless', keylessSignature([layer]), signatureTag(keyless.descriptor));
const clock = makeFakeClock('2030-01-01T00:30:00Z');
const app = await startAppKit(t, {
  upstreams: { reg: registry.origin },
  identities: { dev: { sigstore: { issuer: by.issuer, subject: by.subject } } },
  rules: [
    { repositories: ['reg/notation'], require: { signedBy: 'acme' } },
    { repositories: ['reg/keyless'], require: { signedBy: 'dev' } },
  ],
  files: { 'root.json': trustedRootJson(worldRoot).toString() },
  config: {
    admin: { host: '127.0.0.1', port: 0, token },
    trust: { store: './trust', sigstore: { root: { file: './root.json' } } },
  },
  clock,
});

async function admin(method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  return await fetch(`${app.admin}${path}`, init);
}

const hexOf = (bytes: Uint8Array): string => digestOf(bytes).slice('sha256:'.length);
const spkiHexOf = (pem: string): string =>
  hexOf(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }));
const both = (what: string, { fingerprint, pem }: Pick<BuiltCertificate, 'fingerprint' | 'pem'>) =>
  [
    [what, fingerprint],
    [`the key of ${what}`, spkiHexOf(pem)],
  ] as const;

const [notationLeaf, ...notationAuthorities] = acme.certificates;
const keylessLeaf = { pem: leafPem, fingerprint: hexOf(new X509Certificate(leafPem).raw) };
const chains = {
  notation: [
    ...both('the leaf', notationLeaf),
    ...both('the intermediate', notationAuthorities[0] as BuiltCertificate),
    ...both('the root', notationAuthorities[1] as BuiltCertificate),
  ],
  keyless: [
    ...both('the leaf', keylessLeaf),
    ...both('the intermediate of Fulcio', intermediate as BuiltCertificate),
    ...both('the root of Fulcio', root as BuiltCertificate),
  ],
};

for (const [repository, certificates] of Object.entries(chains)) {
  const path = `reg/${repository}/manifests/v1`;
  for (const [what, key] of certificates) {
    t.test(`${repository}: ${what} is denied, and what it stands above with it`, async (t) => {
      t.equal((await app.ask(path)).status, 200, 'before');
      const wish = { key, reason: 'INC-1', owner: 'sre@acme.example' };
      const added = await admin('POST', '/v1/deny', wish);
      t.equal(added.status, 201);
      const refused = await app.ask(path);
      t.equal(refused.status, 403);
      t.equal(reasonOf(refused), 'denylisted');
      const { id } = (await added.json()) as { id: string };
      t.equal((await admin('DELETE', `/v1/deny/${id}`)).status, 200);
      // A refusal is remembered for a moment.
      clock.advanceMs(120_000);
      t.equal((await app.ask(path)).status, 200, 'after it was taken back');
    });
  }
}

t.test('a certificate of nobody denies nobody', async (t) => {
  const stranger = makeChain({ authority: 'stranger' });
  const wish = { key: stranger.root.fingerprint, reason: 'INC-1', owner: 'sre@acme.example' };
  t.equal((await admin('POST', '/v1/deny', wish)).status, 201);
  for (const repository of Object.keys(chains)) {
    t.equal((await app.ask(`reg/${repository}/manifests/v1`)).status, 200);
  }
});
