import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import {
  type Artifact,
  buildBlob,
  buildIndex,
  buildManifest,
} from '../../test/support/build-image.ts';
import { type Architecture, makeProgram } from './program.ts';
import { gzip, makeTar } from './tarball.ts';

const made = '2026-01-01T00:00:00Z';

/** A small image that runs: it prints `text`. */
export function makeImage(text: string, architecture: Architecture = 'amd64'): Artifact {
  const program = makeProgram(architecture, `${text}\n`);
  const tar = makeTar([{ name: 'hello', bytes: program, mode: 0o755 }]);
  const config = {
    created: made,
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/hello'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created: made, created_by: 'assay demo' }],
  };
  return buildManifest({
    config: buildBlob(mediaTypes.ociConfig, JSON.stringify(config)),
    layers: [buildBlob('application/vnd.oci.image.layer.v1.tar+gzip', gzip(tar))],
  });
}

/** The same for two platforms under one index. */
export function makeMultiArch(text: string): Artifact {
  const architectures = ['amd64', 'arm64'] as const;
  return buildIndex({
    children: architectures.map((architecture) =>
      makeImage(`${text} (${architecture})`, architecture),
    ),
    platforms: architectures.map((architecture) => ({ os: 'linux', architecture })),
  });
}

/** A Helm chart as `helm push` stores one. */
export function makeChart(): Artifact {
  const chart = {
    apiVersion: 'v2',
    name: 'chart',
    version: '0.1.0',
    description: 'A chart that makes one ConfigMap.',
    type: 'application',
  };
  const chartYaml = Object.entries(chart).map(([key, value]) => `${key}: ${value}\n`);
  const template = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: {{ .Release.Name }}-demo',
    'data:',
    '  hello: world',
    '',
  ];
  const tar = makeTar([
    { name: 'chart/Chart.yaml', bytes: Buffer.from(chartYaml.join('')), mode: 0o644 },
    {
      name: 'chart/templates/configmap.yaml',
      bytes: Buffer.from(template.join('\n')),
      mode: 0o644,
    },
  ]);
  return buildManifest({
    config: buildBlob('application/vnd.cncf.helm.config.v1+json', JSON.stringify(chart)),
    layers: [buildBlob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', gzip(tar))],
  });
}
