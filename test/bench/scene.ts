import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../interop/support/process.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import { startDistribution } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';

/** What a benchmark takes place in: a folder, an upstream, and who signs what is in it. */
export interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly owner: Owner;
  /** The URL of distribution, which has no referrers API. */
  readonly upstream: string;
  /** The certificate that vouches for who signs. */
  readonly rootPem: string;
  /** An image in `app` with its signature, and the list by which that is found. */
  pushSigned(name: string, layerSizes?: readonly number[]): Promise<Artifact>;
}

export async function openScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const owner: Owner = { teardown: (end) => stack.defer(end) };
  const { url: upstream } = await startDistribution(owner, folder, 'upstream');
  const chain = makeChain();
  return {
    folder,
    owner,
    upstream,
    rootPem: chain.root.pem,
    async pushSigned(name, layerSizes) {
      const image = buildImage({ name, ...(layerSizes && { layerSizes }) });
      const signature = signedBy({ of: image.descriptor, format: 'jws', chain });
      await push(upstream, 'app', image, name);
      await push(upstream, 'app', signature);
      const tag = `sha256-${image.descriptor.digest.slice(7)}`;
      await push(upstream, 'app', referrersList(signature), tag);
      return image;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
