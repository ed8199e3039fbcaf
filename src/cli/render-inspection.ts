import type { BundleInspection, InspectedImage } from '../compose/airgap-inspect.ts';
import { describeBytes, describeCount, describeSeconds } from './quantities.ts';
import { type Paint, printable } from './terminal.ts';
import { type Branch, renderTree } from './tree.ts';

export function renderInspection(inspection: BundleInspection, paint: Paint): string {
  const sections = [
    section('Signed by', roleBranches(inspection, paint)),
    section(
      'Images',
      inspection.images.map((image) => imageBranch(image, inspection, paint)),
    ),
    section('Volumes', volumeBranches(inspection, paint)),
    section('Denials', inspection.denials.map(leaf)),
    section('Tags that go back', inspection.rollbacks.map(leaf)),
    section('Trust material', inspection.trust.map(leaf)),
  ];
  return [...headLines(inspection, paint), ...sections.flatMap((each) => ['', ...each])].join('\n');
}

function headLines(inspection: BundleInspection, paint: Paint): readonly string[] {
  const { stream, sequence, kind, base, created, ageSeconds, exporter, content } = inspection;
  const what = kind === 'revocation' ? 'revocations alone' : extentOf(base);
  const { carriedBlobs, carriedBytes, assumedBlobs, assumedBytes } = content;
  const assumed = `${describeCount(assumedBlobs, 'blob')}, ${describeBytes(assumedBytes)}`;
  return [
    `${paint('bold', `bundle ${sequence}`)} of stream ${stream}: ${what}`,
    `made ${created.toISOString()}, ${describeSeconds(ageSeconds)} ago, by ${printable(exporter)}`,
    `carries ${describeCount(carriedBlobs, 'blob')}, ${describeBytes(carriedBytes)}` +
      (assumedBlobs === 0 ? '' : `; takes ${assumed} to be there`),
    revocationLine(inspection, paint),
    inspection.vouchedBy === 'pinned'
      ? paint('green', 'the root that was given vouches for it')
      : paint('yellow', 'nothing says whose it is: give its root by --root'),
  ];
}

function extentOf(base: number | undefined): string {
  return base === undefined ? 'all that it speaks of' : `what is new since bundle ${base}`;
}

function revocationLine({ revocationAsOf, created }: BundleInspection, paint: Paint): string {
  if (revocationAsOf === undefined) return paint('yellow', 'it has no revocation data');
  const seconds = (created.getTime() - revocationAsOf.getTime()) / 1000;
  const age = `${describeSeconds(seconds)} before it was made`;
  return `revocation data of ${revocationAsOf.toISOString()}, ${age}`;
}

function roleBranches({ roles, expired }: BundleInspection, paint: Paint): readonly Branch[] {
  return (['root', 'targets', 'snapshot', 'timestamp'] as const).map((role) => {
    const { version, threshold, keys, signedBy, expires } = roles[role];
    const isExpired = expired.includes(role);
    const until = `${isExpired ? 'ended' : 'until'} ${expires.toISOString()}`;
    const needed = `${threshold} of ${describeCount(keys.length, 'key')} must sign`;
    return {
      text: `${role} ${version}, ${isExpired ? paint('red', until) : until}; ${needed}`,
      branches: signedBy.map((id) => ({ text: paint('dim', `key ${id}`) })),
    };
  });
}

const news = {
  carried: 'new',
  'new-evidence': 'new evidence',
  assumed: 'as before',
} as const satisfies Record<InspectedImage['news'], string>;

function imageBranch(image: InspectedImage, { base }: BundleInspection, paint: Paint): Branch {
  const { reference, digest, tagVersion, children, evidence } = image;
  const isNew = image.news !== 'assumed';
  // All of a full bundle is new to whoever has nothing.
  const state = base === undefined ? '' : `: ${paint(isNew ? 'green' : 'dim', news[image.news])}`;
  const version = tagVersion === undefined ? [] : [`tag version ${tagVersion}`];
  const below = children === 0 ? [] : [describeCount(children, 'manifest') + ' below it'];
  const proofs = evidence.length === 0 ? 'no evidence' : countEach(evidence);
  return {
    text: `${printable(reference)}${state}`,
    branches: [
      { text: paint('dim', digest) },
      { text: [...version, ...below, proofs].map(printable).join(', ') },
    ],
  };
}

/** `2 notation signature, 1 SBOM`. */
function countEach(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

const maxVolumes = 50;

function volumeBranches({ volumes }: BundleInspection, paint: Paint): readonly Branch[] {
  const missing = volumes.filter(({ copies }) => copies === 0);
  const shown = volumes.slice(0, maxVolumes).map(({ name, bytes, copies }) => {
    const state = copies === 0 ? paint('red', 'not here') : paint('green', 'here');
    return { text: `${name}, ${describeBytes(bytes)}: ${state}` };
  });
  if (volumes.length <= maxVolumes) return shown;
  const rest = volumes.length - maxVolumes;
  return [...shown, { text: `and ${rest} more; ${missing.length} of all are not here` }];
}

function section(heading: string, branches: readonly Branch[]): readonly string[] {
  const text = branches.length === 0 ? `${heading}: none` : heading;
  return renderTree({ text, branches });
}

function leaf(text: string): Branch {
  return { text: printable(text) };
}
