import t, { type Test } from 'tap';
import { loadBasis } from '../../../src/compose/load-basis.ts';
import { describeMissingRoots } from '../../../src/compose/sigstore-roots.ts';
import { configuredName } from '../../../src/compose/sigstore-sources.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config, SigstoreRootConfig } from '../../../src/config/schema.ts';
import type { TrustPolicy } from '../../../src/policies/policy.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import { trustedRootJson } from '../../support/trusted-root.ts';

const upstreams = { reg: 'http://127.0.0.1:1' };
const file: SigstoreRootConfig = { file: './trusted_root.json' };

function configOf(
  root?: SigstoreRootConfig,
  roots: Readonly<Record<string, SigstoreRootConfig>> = {},
): Pick<Config, 'trust'> {
  const sigstore = { ...(root !== undefined && { root }), roots };
  return { trust: { store: '', offline: false, plugins: {}, sigstore } };
}

t.test('the default root is `root`, or the only other one', async (t) => {
  t.strictSame(configuredName(configOf(file, { acme: file }), 'default'), 'default');
  t.strictSame(configuredName(configOf(undefined, { acme: file }), 'default'), 'acme');
  t.strictSame(configuredName(configOf(undefined, { a: file, b: file }), 'default'), undefined);
  t.strictSame(configuredName(configOf(file), 'acme'), undefined);
});

t.test('a root that the policy names and nobody configured is a problem', async (t) => {
  const policy = {
    rules: [{ kind: 'require', sigstoreRoots: ['acme', 'default'] }],
  } as unknown as Pick<TrustPolicy, 'rules'>;
  t.same(describeMissingRoots(configOf(file, { acme: file }), policy), []);
  t.same(describeMissingRoots(configOf(file), policy), [
    'the trust policy refers to the Sigstore root acme, and trust.sigstore has default',
  ]);
  const none: Pick<Config, 'trust'> = { trust: { store: '', offline: false, plugins: {} } };
  t.match(describeMissingRoots(none, policy), [
    /root acme, and trust.sigstore is not configured/,
    /root default, and/,
  ]);
});

async function load(t: Test, sigstore: object, files: Readonly<Record<string, string>> = {}) {
  const config = { trust: { store: './trust', sigstore } };
  const saw: string[] = [];
  const loaded = await loadBasis(
    await loadConfig(writeConfiguration(t, { upstreams, config, files })),
    async (path) => void saw.push(path),
  );
  return { ...loaded, saw: saw.map((path) => path.slice(t.testdirName.length + 1)) };
}

t.test('roots side by side are loaded by name, and every file of them is watched', async (t) => {
  const tuf = { url: 'https://tuf.example.test', root: './root.json' };
  const { trust, saw } = await load(
    t,
    { root: 'public-good', roots: { own: file, acme: { tuf } } },
    { 'trusted_root.json': trustedRootJson().toString(), 'root.json': '{}' },
  );
  t.strictSame(trust.sigstoreRoot('default')?.kind, 'seed');
  t.strictSame(trust.sigstoreRoot('own')?.kind, 'file');
  t.strictSame(trust.sigstoreRoot('acme'), undefined, 'never fetched');
  t.strictSame(trust.sigstoreRoot('other'), undefined);
  const digests = ['default', 'own', 'acme'].map((name) => trust.sigstoreRootDigest(name));
  t.strictSame(new Set(digests).size, 3);
  const watched = ['trusted_root.json', 'root.json', 'data/sigstore/default.json'];
  for (const path of [...watched, 'data/sigstore/acme.json']) t.ok(saw.includes(path), path);
});

t.test('roots that do not load are told all at once', async (t) => {
  const tuf = { url: 'https://tuf.example.test', root: './none.json' };
  await t.rejects(load(t, { root: file, roots: { acme: { tuf } } }), {
    code: 'TRUST_STORE_UNUSABLE',
    message: /Sigstore root acme: .*none\.json can not be read[^]*Sigstore root default: .*ENOENT/,
  });
});

t.test('an identity that asks for the age of a root that is a file is a mistake', async (t) => {
  const loadWith = async (root: string) => {
    const sigstore = { issuer: 'https://a.io', subject: 'b', root, maxRootAge: '7d' };
    const loaded = await loadBasis(
      await loadConfig(
        writeConfiguration(t, {
          upstreams,
          identities: { keyless: { sigstore } },
          rules: [{ repositories: ['reg/**'], require: { signedBy: 'keyless' } }],
          config: {
            trust: { store: './trust', sigstore: { root: 'public-good', roots: { file } } },
          },
          files: { 'trusted_root.json': trustedRootJson().toString() },
        }),
      ),
      async () => undefined,
    );
    return loaded.problems;
  };
  t.same(await loadWith('default'), []);
  t.same(await loadWith('file'), [
    'identity keyless has maxRootAge, and its Sigstore root file is a file',
  ]);
});
