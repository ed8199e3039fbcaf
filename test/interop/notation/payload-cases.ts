import { buildImage } from '../../support/build-image.ts';
import type { NotationOverrides } from '../../support/sign-notation.ts';
import { type Case, type CaseOptions, formats, image, makeCase, signature } from './case.ts';

type Row = readonly [
  title: string,
  overrides: NotationOverrides,
  notation: Case['notation'],
  options?: CaseOptions,
];

const other = buildImage({ name: 'another image' }).descriptor;

const payloads: readonly Row[] = [
  ['for another image', { targetArtifact: { ...other } }, /descriptor mismatch/],
  [
    'that states another digest',
    { targetArtifact: { digest: other.digest } },
    /descriptor mismatch/,
  ],
  [
    'that states another size',
    { targetArtifact: { size: image.descriptor.size + 1 } },
    /descriptor mismatch/,
  ],
  [
    'that states another media type',
    { targetArtifact: { mediaType: 'application/json' } },
    /descriptor mismatch/,
  ],
  ['that states no digest', { targetArtifact: { digest: undefined } }, /descriptor mismatch/],
  ['that states no size', { targetArtifact: { size: undefined } }, /descriptor mismatch/],
  [
    'that states no media type',
    { targetArtifact: { mediaType: undefined } },
    /descriptor mismatch/,
  ],
  [
    'that states the size as text',
    { targetArtifact: { size: String(image.descriptor.size) } },
    /unmarshal/,
  ],
  ['with annotations', { targetArtifact: { annotations: { 'org.acme.build': '7' } } }, 'accepts'],
  ['whose annotations are no text', { targetArtifact: { annotations: { a: 7 } } }, /unmarshal/],
  [
    'with another member of the descriptor',
    { targetArtifact: { platform: { os: 'linux', architecture: 'amd64' } } },
    'accepts',
  ],
  ['with another member beside targetArtifact', { payloadMembers: { note: 'hello' } }, 'accepts'],
  ['without targetArtifact', { payload: '{}' }, /descriptor mismatch/],
  ['that is no JSON', { payload: 'hello' }, /invalid character/],
  ['that is empty', { payload: '' }, /integrity validation failed/],
  ['that is a list', { payload: '[]' }, /cannot unmarshal/],
  ['with text after the JSON', { payload: `${payloadText()} {}` }, /invalid character/],
  [
    'that states targetArtifact twice, the right one last',
    { payload: `{"targetArtifact":{},${payloadText().slice(1)}` },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  [
    'that writes targetArtifact in capitals',
    { payload: payloadText().replace('targetArtifact', 'TargetArtifact') },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  [
    'that writes a member of the descriptor in capitals',
    { payload: payloadText().replace('"size"', '"Size"') },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
];

function payloadText(): string {
  const { mediaType, digest, size } = image.descriptor;
  return JSON.stringify({ targetArtifact: { mediaType, digest, size } });
}

/** What a signature says of the image, each in both encodings. */
export const payloadCases: readonly Case[] = formats.flatMap((format) =>
  payloads.map(([title, overrides, notation, options]) =>
    makeCase(`a ${format} payload ${title}`, [signature(format, overrides)], notation, options),
  ),
);
