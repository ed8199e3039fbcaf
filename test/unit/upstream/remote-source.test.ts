import t from 'tap';
import { contentSourceContract } from '../../contract/content-source.ts';
import { type FakeRegistryOptions, startFakeRegistry } from '../../support/fake-registry.ts';
import { openRemote } from '../../support/remote-kit.ts';

const registries: Readonly<Record<string, FakeRegistryOptions>> = {
  'with the referrers API': { referrers: 'api' },
  'with the referrers API in pages of one': { referrers: 'api', referrersPageSize: 1 },
  'with the tag schema alone': { referrers: 'tag-schema' },
  'with an API that is empty while the tag holds referrers': { referrers: 'empty-api' },
  'with the image itself under absent fallback tags': { referrers: 'ghcr' },
  'with tokens for anybody': { auth: { kind: 'bearer' } },
};

for (const [name, options] of Object.entries(registries)) {
  t.test(`a registry ${name}`, async (t) => {
    contentSourceContract(t, async (t, { entries }) => {
      const registry = await startFakeRegistry(options);
      t.teardown(() => registry.close());
      for (const { path, artifact, tag } of entries) registry.put(path, artifact, tag);
      return openRemote(t, registry.url).source;
    });
  });
}
