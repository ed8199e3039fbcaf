import t from 'tap';
import { notationSignatureType } from '../support/build-image.ts';
import { type Kit, openKit, repository, type Upstream } from './support/kit.ts';
import { mustRun } from './support/process.ts';
import { readSignatures } from './support/registry-reader.ts';

// Who verifies again behind the proxy finds the signatures there, and the same ones.
t.setTimeout(200_000);
const kit = await openKit(t);

for (const upstream of kit?.upstreams ?? []) if (kit !== undefined) testUpstream(kit, upstream);

function testUpstream(
  { proxy, notation, signers, tools, folder }: Kit,
  { registry, contents }: Upstream,
): void {
  const served = contents.filter(({ refused }) => refused === undefined);
  const nameOf = (tag: string): string => `${proxy.address}/${registry.key}/${repository}:${tag}`;

  t.test(
    `notation verify accepts through the proxy what is signed in ${registry.key}`,
    async (t) => {
      for (const { tag, artifact } of served) {
        const { code, output } = await notation.verify(nameOf(tag), [signers.trusted]);
        t.equal(code, 0, `${tag}${code === 0 ? '' : `: ${output}`}`);
        t.match(output, artifact.descriptor.digest);
      }
    },
  );

  t.test(`notation verify gets nothing that is refused from ${registry.key}`, async (t) => {
    for (const { tag } of contents.filter(({ refused }) => refused !== undefined)) {
      const { code, output } = await notation.verify(nameOf(tag), [signers.trusted]);
      t.not(code, 0, tag);
      // It asks by HEAD, and prints the usual words for the status in place of the phrase.
      t.match(output, '403: Forbidden', tag);
    }
  });

  t.test(`oras discover lists the signatures of what is signed in ${registry.key}`, async (t) => {
    for (const { tag, artifact } of served) {
      const words = ['discover', '--plain-http', '--format', 'json', nameOf(tag)];
      const printed = await mustRun(tools.oras, words, { env: { HOME: folder } });
      const { referrers } = JSON.parse(printed) as { referrers: readonly Referrer[] };
      const { digest } = artifact.descriptor;
      const [signature, ...others] = await readSignatures(registry.origin, repository, digest);
      t.strictSame(others, [], 'the test has put one there');
      t.match(referrers, [{ digest: signature?.manifest, artifactType: notationSignatureType }]);
      t.equal(referrers.length, 1);
    }
  });
}

interface Referrer {
  readonly digest: string;
  readonly artifactType: string;
}
