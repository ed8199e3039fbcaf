import { join } from 'node:path';
import t from 'tap';
import { requireTool } from '../support/require-tool.ts';
import { type CosignScheme, makeCosignHome } from './support/cosign-home.ts';
import type { ContentTag } from './support/content.ts';
import { type Kit, openKit, repository, type Upstream } from './support/kit.ts';

// What cosign stores beside an image that we admit for its Notation signature is evidence about it:
// whoever verifies with cosign behind the proxy finds all of it there, wherever it lies.
t.setTimeout(200_000);
/** An image for each: the proxy keeps to what a tag, cosign's too, named a minute ago. */
const runs = [
  ['signed-jws', 'cosign2', 'tags'],
  ['signed-cose', 'cosign', 'tags'],
  ['docker-schema2', 'cosign', 'bundles'],
] as const satisfies readonly (readonly [ContentTag, tool: string, CosignScheme])[];
const kit = await openKit(t, {
  tags: runs.map(([tag]) => tag),
  kinds: ['referrers', 'distribution'],
});

for (const upstream of kit?.upstreams ?? []) {
  for (const [tag, tool, scheme] of runs) if (kit) testScheme(kit, upstream, tag, tool, scheme);
}

function testScheme(
  { proxy, folder }: Kit,
  { registry, contents }: Upstream,
  tag: ContentTag,
  tool: string,
  scheme: CosignScheme,
): void {
  t.test(`${tool} verifies through the proxy its ${scheme} in ${registry.key}`, async (t) => {
    const program = requireTool(t, tool);
    const content = contents.find((each) => each.tag === tag);
    if (program === undefined || content === undefined) return;
    const home = await makeCosignHome(program, join(folder, `${registry.key}-${tool}-${scheme}`));
    const pinned = `${repository}@${content.artifact.descriptor.digest}`;
    await home.sign(`${registry.address}/${pinned}`, scheme);
    await home.attest(`${registry.address}/${pinned}`, 'custom', scheme);
    const name = `${proxy.address}/${registry.key}/${pinned}`;
    const signed = await home.verify(name, scheme);
    t.equal(signed.code, 0, signed.output);
    const attested = await home.verifyAttestation(name, 'custom', scheme);
    t.equal(attested.code, 0, attested.output);
    const other = await home.verifyAttestation(name, 'vuln', scheme);
    t.not(other.code, 0, 'which is not there');
  });
}
