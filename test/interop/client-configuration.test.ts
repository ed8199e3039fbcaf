import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { requireContainerd, startContainerd } from './support/containerd-client.ts';
import { openKit, repository } from './support/kit.ts';
import { type Ended, runCommand } from './support/process.ts';

// The configurations that docs/clients.md recommends, and those that it warns of, as they stand
// there: the first let through what is signed and nothing else, the others go around the proxy.
t.setTimeout(200_000);
const tls = makeServerCertificate();
const kit = await openKit(t, { tags: ['signed-jws', 'unsigned'], kinds: ['distribution'], tls });
const [upstream] = kit?.upstreams ?? [];

if (kit !== undefined && upstream !== undefined) {
  const { folder, proxy, tools } = kit;
  const { registry } = upstream;
  const certificates = join(folder, 'ca');
  const ca = join(certificates, 'ca.crt');
  mkdirSync(certificates);
  writeFileSync(ca, tls.ca);

  /** A block of the page, by its first line, with our names in place of the examples. */
  const block = (firstLine: string): string =>
    readBlock(firstLine)
      .replaceAll('assay.example', proxy.address)
      .replaceAll('registry.example', registry.key)
      .replaceAll('/etc/containerd/assay-ca.pem', ca);

  /** The same, where the registry's name leads to the registry itself, since it is its address. */
  const blockWithRegistry = (firstLine: string): string =>
    block(firstLine)
      .replaceAll(`"${registry.key}"`, `"${registry.address}"`)
      .replace(/^location = "127.*$/m, '$&\ninsecure = true');

  const skopeoCopy = (registryName: string, tag: string, configuration: string): Promise<Ended> => {
    const conf = join(folder, 'registries.conf');
    writeFileSync(conf, configuration);
    const source = `docker://${registryName}/${repository}:${tag}`;
    const words = ['--insecure-policy', '--src-cert-dir', certificates, source];
    const into = `dir:${join(folder, tag)}`;
    const env = { HOME: folder };
    return runCommand(tools.skopeo, ['--registries-conf', conf, 'copy', ...words, into], { env });
  };

  const checkOnlySigned = async (
    t: Test,
    pull: (tag: string) => Promise<Ended>,
    reason: string,
  ): Promise<void> => {
    const signed = await pull('signed-jws');
    t.equal(signed.code, 0, signed.code === 0 ? 'what is signed comes' : signed.output);
    const unsigned = await pull('unsigned');
    t.not(unsigned.code, 0, 'what is not signed does not');
    t.match(unsigned.output, reason);
  };

  t.test('podman, skopeo, CRI-O: the rewritten name lets nothing by', async (t) => {
    const conf = block('# /etc/containers/registries.conf.d/50-assay.conf');
    const pull = (tag: string) => skopeoCopy(registry.key, tag, conf);
    await checkOnlySigned(t, pull, 'denied: unsigned');
  });

  t.test('podman, skopeo, CRI-O: a mirror of a blocked registry lets nothing by', async (t) => {
    const conf = blockWithRegistry(
      '# /etc/containers/registries.conf.d/50-assay.conf, with a mirror',
    );
    const pull = (tag: string) => skopeoCopy(registry.address, tag, conf);
    await checkOnlySigned(t, pull, 'denied: unsigned');
  });

  t.test('podman, skopeo, CRI-O: what a mere mirror refuses comes from the registry', async (t) => {
    const conf = blockWithRegistry('# wrong: what the mirror refuses comes from the registry');
    const { code, output } = await skopeoCopy(registry.address, 'unsigned', conf);
    t.equal(code, 0, code === 0 ? 'the copy succeeds' : output);
  });

  const programs = requireContainerd(t);
  if (programs !== undefined) {
    let count = 0;
    const startWith = (owner: Test, hosts: Readonly<Record<string, string>>) => {
      count += 1;
      const place = { folder: join(folder, `c${count}`), hosts };
      return startContainerd(owner, { ...programs, ...place });
    };
    const reason = '403 Forbidden: unsigned';

    for (const name of ['registry.example', '_default']) {
      t.test(`containerd: the proxy as server and host in ${name} lets nothing by`, async (t) => {
        const hosts = block(`# /etc/containerd/certs.d/${name}/hosts.toml`);
        const key = name === '_default' ? name : registry.key;
        const client = await startWith(t, { [key]: hosts });
        await checkOnlySigned(t, (tag) => client.pull(registry.key, repository, tag), reason);
      });
    }

    t.test(
      'containerd: what a host refuses comes from the server that is the registry',
      async (t) => {
        const hosts = block('# /etc/containerd/certs.d/registry.example/hosts.toml');
        const server = `server = "${registry.origin}"`;
        const client = await startWith(t, {
          [registry.key]: hosts.replace(/^server = .*$/m, server),
        });
        const { code, output } = await client.pull(registry.key, repository, 'unsigned');
        t.equal(code, 0, code === 0 ? 'the pull succeeds' : output);
      },
    );
  }
}

/** A fenced block that begins with the line. */
function readBlock(firstLine: string): string {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'clients.md'), 'utf8');
  const fenced = /^(?<indent> *)```toml\n(?<text>[^]*?)^ *```$/gm;
  const blocks = [...page.matchAll(fenced)].map(({ groups: { indent = '', text = '' } = {} }) =>
    text
      .split('\n')
      .map((line) => line.slice(indent.length))
      .join('\n'),
  );
  const found = blocks.find((text) => text.split('\n')[0] === firstLine);
  if (found === undefined) throw new Error(`docs/clients.md has no block "${firstLine}"`);
  return found;
}
