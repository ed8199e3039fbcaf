import { join } from 'node:path';
import { type Case, makeCase } from '../interop/notation/case.ts';
import type { AssaySide } from '../interop/notation/run-assay.ts';
import { writeConfiguration } from '../interop/notation/run-notation.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { makeTrust } from '../support/notation-case.ts';
import { type NotationFormat, signedBy } from '../support/sign-notation.ts';
import { type ChainOptions, makeChain } from '../support/test-ca.ts';
import { makeVerifierKit } from '../support/verifier-kit.ts';
import { signatureFormats } from '../../src/formats/index.ts';
import type { Contest } from './compare-verdicts.ts';
import { tool } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';

const kinds: Readonly<Record<string, readonly [NotationFormat, ChainOptions]>> = {
  'JWS, EC P-256': ['jws', {}],
  'COSE, EC P-256': ['cose', {}],
  'JWS, RSA 2048': ['jws', rsaChain()],
  'COSE, RSA 2048': ['cose', rsaChain()],
};

/** Where the images go, and who judges them. */
export interface Venue {
  readonly folder: string;
  readonly url: string;
  readonly assay: AssaySide;
  /** Of each kind. */
  readonly images: number;
}

export async function notationContests(venue: Venue): Promise<readonly Contest[]> {
  const prepared: Contest[] = [];
  for (const [index, [name, [format, options]]] of Object.entries(kinds).entries()) {
    prepared.push(await prepare(venue, name, `bench/kind-${index}`, format, options));
  }
  return prepared;
}

/** Certificates of RSA keys all the way to the root. */
function rsaChain(): ChainOptions {
  const key = 'RSA-2048';
  return { algorithm: 'PS256', intermediate: { 0: { key } }, root: { key } };
}

/** Images whose signatures have nothing in common but the issuer, and who trusts that issuer. */
async function prepare(
  { folder, url, assay, images }: Venue,
  name: string,
  path: string,
  format: NotationFormat,
  options: ChainOptions,
): Promise<Contest> {
  const { host } = new URL(url);
  const home = join(folder, path);
  const trustStore = { 'ca/acme/root.pem': makeChain(options).root.pem };
  const policy = { trustStores: ['ca:acme'] };
  const one: Case = makeCase(name, [], 'accepts', { trustStore, policy });
  writeConfiguration(home, one, `${host}/${path}`);
  const made: Artifact[] = [];
  const inMemory: Artifact[] = [];
  for (let index = 0; index < images; index += 1) {
    const image = buildImage({ name: `${path} ${index}` });
    const leaf = { subject: `C=US, ST=WA, O=acme, CN=release ${index}` };
    const signature = signedBy({
      of: image.descriptor,
      format,
      chain: makeChain({ ...options, leaf }),
    });
    await push(url, path, image);
    await push(url, path, signature);
    const list = referrersList(signature);
    await push(url, path, list, `sha256-${image.descriptor.digest.slice(7)}`);
    made.push(image);
    inMemory.push(image, signature);
  }
  return {
    name,
    path,
    images: made,
    makeJudge: await assay.openFolder(home),
    judgeInMemory: () => judgeInMemory(inMemory, makeChain(options).root.der),
    tool: {
      name: 'notation verify',
      verify: (digest) => `"$NOTATION" verify --insecure-registry ${host}/${path}@${digest}`,
      start: '"$NOTATION" version',
      env: { HOME: home, XDG_CONFIG_HOME: home, NOTATION: tool('notation') },
    },
  };
}

async function judgeInMemory(artifacts: readonly Artifact[], root: Uint8Array): Promise<void> {
  const trust = makeTrust({ 'ca:acme': [root] });
  const kit = makeVerifierKit({ formats: signatureFormats, trust });
  for (const artifact of artifacts) kit.source.put(artifact);
  for (const artifact of artifacts.filter(({ subject }) => subject === undefined)) {
    const { kind, because } = await kit.verify(artifact);
    if (kind !== 'trusted') throw new Error(`assay refused in memory: ${because}`);
  }
}
