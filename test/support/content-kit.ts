import { join } from 'node:path';
import type { Test } from 'tap';
import type { Clock } from '../../src/kernel/clock.ts';
import { type AppKit, type AppOptions, signatureOf, startAppKit } from './app-kit.ts';
import { type BlobClient, type BlobClientOptions, openBlobClient } from './blob-client.ts';
import { type Artifact, type BuiltBlob, buildImage } from './build-image.ts';
import {
  openScriptedRegistry,
  type ScriptedRegistry,
  type ScriptedRegistryOptions,
} from './scripted-registry.ts';
import type { SeenRequest, Step } from './scripted-upstream.ts';

export const mebibyte = 1024 * 1024;
/** What is kept back of a fill until its hash matches. */
export const withheldBytes = 64 * 1024;

export interface ContentKitOptions {
  /** In bytes; one of 4 MiB unless told. */
  readonly layerSizes?: readonly number[];
  readonly config?: AppOptions['config'];
  /** For content and state; one of the test's own unless told. */
  readonly dataFolder?: string;
  readonly clock?: Clock;
  /** Of ours upstream. */
  readonly credentials?: object;
  readonly registry?: ScriptedRegistryOptions;
}

/** The whole app before a registry with one signed image whose layers are large. */
export interface ContentKit extends AppKit {
  readonly registry: ScriptedRegistry;
  readonly image: Artifact;
  /** For content and state. */
  readonly dataFolder: string;
  /** The first of its layers. */
  readonly layer: BuiltBlob;
  /** Asks for a blob, the layer unless told, which should come as it is. */
  open(options?: BlobClientOptions & { readonly blob?: BuiltBlob }): BlobClient;
  /** GETs of a blob, the layer unless told, that upstream saw. */
  fetches(blob?: BuiltBlob): readonly SeenRequest[];
  /** What upstream does with GETs of the layer from now on; undefined: what is right. */
  setLayerFault(fault: LayerFault | undefined): void;
}

export type LayerFault = (answer: Step, request: SeenRequest) => Step | undefined;

/** The image is admitted; nothing of it but its manifest has been asked for. */
export async function openContentKit(
  t: Test,
  options: ContentKitOptions = {},
): Promise<ContentKit> {
  const { layerSizes = [4 * mebibyte], dataFolder, clock } = options;
  const image = buildImage({ name: t.fullname, layerSizes });
  const registry = await openScriptedRegistry(t, options.registry);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const config = { ...(dataFolder && { storage: { path: dataFolder } }), ...options.config };
  const { credentials } = options;
  const plain = { url: registry.origin, plainHttp: 'allowed' };
  const upstreams = { reg: { ...plain, ...(credentials && { credentials }) } };
  const kit = await startAppKit(t, { upstreams, config, ...(clock && { clock }) });
  const manifest = await kit.ask('reg/app/manifests/v1');
  t.equal(manifest.status, 200, 'the image is admitted');
  return withContent(t, kit, registry, image, dataFolder);
}

/** The same for an app that is started anew. */
export function withContent(
  t: Test,
  kit: AppKit,
  registry: ScriptedRegistry,
  image: Artifact,
  dataFolder = join(t.testdirName, 'data'),
): ContentKit {
  const layer = image.blobs[1]!;
  const pathOf = ({ descriptor }: BuiltBlob): string => `/v2/app/blobs/${descriptor.digest}`;
  return {
    ...kit,
    registry,
    image,
    dataFolder,
    layer,
    open({ blob = layer, ...options } = {}) {
      const path = `/v2/reg/app/blobs/${blob.descriptor.digest}`;
      return openBlobClient(t, kit.oci, path, { expected: blob.bytes, ...options });
    },
    fetches: (blob = layer) => registry.seen(pathOf(blob)).filter(({ method }) => method === 'GET'),
    setLayerFault(fault) {
      registry.setFault((request, answer) =>
        request.method === 'GET' && request.path === pathOf(layer)
          ? fault?.(answer, request)
          : undefined,
      );
    },
  };
}

/** Asserts that the client got all of the blob, and nothing else. */
export async function expectWhole(t: Test, client: BlobClient, name: string): Promise<void> {
  const { status, isComplete, isRightSoFar, bytes } = await client.ended;
  const isWell = status === 200 && isComplete && isRightSoFar;
  t.ok(isWell, `${name} gets all of it${isWell ? '' : `: ${status}, ${bytes} bytes`}`);
}

/** A number of a metric, summed over its labels; 0 where it has none yet. */
export function metricOf(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Looks again and again; the time limit of the test is its own. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
