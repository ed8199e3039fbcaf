import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CosignScheme, makeCosignHome } from '../interop/support/cosign-home.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import type { Contest } from './compare-verdicts.ts';
import type { Venue } from './notation-contest.ts';
import { tool } from './peers.ts';
import { push } from './push.ts';

const kinds: readonly (readonly [program: 'cosign' | 'cosign2', CosignScheme])[] = [
  ['cosign2', 'tags'],
  ['cosign', 'tags'],
  ['cosign', 'bundles'],
];

const schemes = { tags: 'a .sig tag', bundles: 'a bundle' } as const;

/** A key in a file, and no transparency log, on either side. */
const trustPolicy = `
version: 1
identities:
  acme: { sigstore: { publicKeys: [cosign.pub], transparencyLog: not-required } }
rules:
  - repositories: ["**"]
    require: { signedBy: acme }
`;

export async function cosignContests(venue: Venue): Promise<readonly Contest[]> {
  const prepared: Contest[] = [];
  for (const [program, scheme] of kinds) prepared.push(await prepare(venue, program, scheme));
  return prepared;
}

/** Images that the real cosign signed with one P-256 key. */
async function prepare(
  { folder, url, assay, images }: Venue,
  program: 'cosign' | 'cosign2',
  scheme: CosignScheme,
): Promise<Contest> {
  const { host } = new URL(url);
  const path = `bench/${program}-${scheme}`;
  const place = join(folder, path);
  const home = await makeCosignHome(tool(program), place);
  await mkdir(join(place, 'notation'));
  await copyFile(home.publicKey, join(place, 'notation', 'cosign.pub'));
  const made: Artifact[] = [];
  for (let index = 0; index < images; index += 1) {
    const image = buildImage({ name: `${path} ${index}` });
    await push(url, path, image);
    await home.sign(`${host}/${path}@${image.descriptor.digest}`, scheme);
    made.push(image);
  }
  return {
    name: `P-256 key, ${schemes[scheme]}, cosign ${program === 'cosign2' ? 2 : 3}`,
    path,
    images: made,
    makeJudge: await assay.openFolder(place, trustPolicy),
    tool: {
      name: 'cosign verify',
      verify: (digest) =>
        `"$COSIGN" ${home.verifyWords(`${host}/${path}@${digest}`, scheme).join(' ')}`,
      start: '"$COSIGN" version',
      env: { ...home.env, COSIGN: tool(program) },
    },
  };
}
