import { type Architecture, makeProgram } from '../../../config/make-demo/program.ts';
import { gzip, makeTar, type TarEntry } from '../../../config/make-demo/tarball.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import {
  type Artifact,
  buildBlob,
  type BuiltBlob,
  buildIndex,
  buildManifest,
  fillerBytes,
} from '../../support/build-image.ts';

export interface PullableOptions {
  readonly flavour?: 'oci' | 'docker';
  /** This machine's unless told. */
  readonly architecture?: Architecture;
  /** Of the second layer's file; more than the proxy withholds until the hash is known. */
  readonly fillerSize?: number;
}

/** In the order in which an index lists them. */
export const architectures = ['amd64', 'arm64'] as const satisfies readonly Architecture[];

/** What clients here take of an index by themselves. */
export const ownArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const made = '2026-01-01T00:00:00Z';

/**
 * An image that runtimes unpack and run, of two layers with one file each. Other names give other
 * digests throughout, so that nothing is there already when it is pulled.
 */
export function makePullableImage(name: string, options: PullableOptions = {}): Artifact {
  const { flavour = 'oci', architecture = ownArchitecture, fillerSize = 300_000 } = options;
  const tars = filesOf(name, architecture, fillerSize).map((entry) => makeTar([entry]));
  const types = imageTypes[flavour];
  const config = {
    created: made,
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/hello'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
    history: tars.map(() => ({ created: made, created_by: name })),
  };
  return buildManifest({
    mediaType: types.manifest,
    config: buildBlob(types.config, JSON.stringify(config)),
    layers: tars.map((tar, index) => titled(buildBlob(types.layer, gzip(tar)), index, flavour)),
  });
}

/** The files that `oras pull` writes, which takes only layers that have such a title. */
export const layerTitles = ['program.tar.gz', 'filler.tar.gz'] as const;

function titled(layer: BuiltBlob, index: number, flavour: 'oci' | 'docker'): BuiltBlob {
  if (flavour === 'docker') return layer;
  const annotations = { 'org.opencontainers.image.title': String(layerTitles[index]) };
  return { ...layer, descriptor: { ...layer.descriptor, annotations } };
}

/** For two platforms, with what BuildKit attests of the first. */
export function makePullableIndex(name: string): Artifact {
  return buildIndex({
    children: architectures.map((architecture) => makePullableImage(name, { architecture })),
    platforms: architectures.map((architecture) => ({ os: 'linux', architecture })),
    attestation: 'with',
  });
}

function filesOf(
  name: string,
  architecture: Architecture,
  fillerSize: number,
): readonly TarEntry[] {
  const program = makeProgram(architecture, `${name} for ${architecture}\n`);
  const filler = fillerBytes(`${name}/${architecture}`, fillerSize);
  return [
    { name: 'hello', bytes: program, mode: 0o755 },
    { name: 'filler', bytes: filler, mode: 0o644 },
  ];
}

const imageTypes = {
  oci: {
    manifest: mediaTypes.ociManifest,
    config: mediaTypes.ociConfig,
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: mediaTypes.dockerManifest,
    config: mediaTypes.dockerConfig,
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;
