import type { ExportedBundle, ExportedImage, ExportReport } from '../compose/airgap-exporting.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { type Colour, type Paint, printable } from './terminal.ts';

const colours = {
  trusted: 'green',
  waived: 'yellow',
  unproven: 'red',
  denied: 'red',
  absent: 'red',
  failed: 'yellow',
} as const satisfies Record<ExportedImage['outcome'], Colour>;

/** The report of an export for a person. */
export function renderExport({ outcome, images, bundle }: ExportReport, paint: Paint): string {
  const left = images.filter((image) => image.outcome !== 'trusted').length;
  const all = describeCount(images.length, 'image');
  return [
    ...images.flatMap((image) => renderImage(image, paint)),
    ...(bundle === undefined ? [] : renderBundle(bundle)),
    ...(outcome === 'refused'
      ? [`nothing was written: ${left} of ${all} can not go along`]
      : outcome === 'written-before'
        ? ['it was written before']
        : left > 0
          ? [`${left} of ${all} left out`]
          : []),
  ].join('\n');
}

function renderImage(image: ExportedImage, paint: Paint): readonly string[] {
  const { outcome, reference, reason, because, digest = '', warnings } = image;
  const name = `${paint(colours[outcome], outcome.padEnd(8))} ${printable(reference)}`;
  const why = [reason, because].filter((part) => part !== undefined).join(': ');
  return [
    `${name}  ${because === undefined ? digest : printable(why)}`,
    ...(because === undefined ? warnings : []).map((text) => `         ${printable(text)}`),
  ];
}

function renderBundle(bundle: ExportedBundle): readonly string[] {
  const { stream, sequence, base, volumes, carried, assumed, trustFiles } = bundle;
  const about = base === undefined ? '' : `, since bundle ${base}`;
  const lines = [`bundle ${sequence} of stream ${stream}${about}`];
  if (carried !== undefined && volumes !== undefined) {
    const there = assumed?.bytes ?? 0;
    lines.push(
      `  ${describeBytes(carried.bytes)} in ${describeCount(volumes, 'volume')}; ` +
        `${describeBytes(there)} are taken to be there`,
    );
  }
  if (trustFiles !== undefined)
    lines.push(`  ${describeCount(trustFiles, 'file')} of trust material`);
  const { revocationAsOf } = bundle;
  if (revocationAsOf !== undefined) lines.push(`  revocation data as of ${revocationAsOf}`);
  return lines;
}
