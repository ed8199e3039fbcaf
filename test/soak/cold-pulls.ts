import t from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { openBlobClient } from '../support/blob-client.ts';
import { buildImage } from '../support/build-image.ts';
import { mebibyte } from '../support/content-kit.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { startServe } from '../support/serve-process.ts';

t.setTimeout(300_000);

const clients = 200;

t.test('two hundred cold pulls of a layer of 64 MiB, all of it by all of them', async (t) => {
  t.setTimeout(300_000);
  const registry = await openScriptedRegistry(t);
  const image = buildImage({ name: t.fullname, layerSizes: [64 * mebibyte] });
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const file = writeConfiguration(t, { upstreams: { reg: registry.origin } });
  const { oci } = await startServe(t, file);
  const headers = { accept: manifestMediaTypes.join(', ') };
  t.equal((await fetch(`${oci}/v2/reg/app/manifests/v1`, { headers })).status, 200);
  for (const { descriptor, bytes } of image.blobs.toReversed()) {
    const path = `/v2/reg/app/blobs/${descriptor.digest}`;
    const options = { expected: bytes };
    const outcomes = await Promise.all(
      Array.from({ length: clients }, () => openBlobClient(t, oci, path, options).ended),
    );
    const whole = outcomes.filter(({ isComplete, isRightSoFar }) => isComplete && isRightSoFar);
    t.equal(whole.length, clients, 'everybody gets all of it');
    const fetches = registry.seen(`/v2/app/blobs/${descriptor.digest}`);
    t.equal(fetches.filter(({ method }) => method === 'GET').length, 1, 'one fetch');
    const waited = outcomes.map(({ firstByteMs }) => firstByteMs).toSorted((a, b) => a - b);
    const at = (share: number): string => waited[Math.ceil(share * clients) - 1]!.toFixed(0);
    t.comment(`first byte after ${at(0.5)} ms (median), ${at(0.99)} ms (p99)`);
  }
});
