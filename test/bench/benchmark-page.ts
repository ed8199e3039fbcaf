import { type Figure, type Finding, findingsOf, goalText, number, spread } from './figure.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** Of each tool that was measured beside it. */
  readonly versions: Readonly<Record<string, string>>;
}

const head = `# Benchmarks

\`npm run bench\` writes this page: Assay beside others on the same machine in the same run, each on
one core and loaded from another, in turns. Ratios are what to quote, as single figures depend on
the machine and the hour; in brackets are the least and the most of all rounds. Goals are those that
the project has set itself.

![Ratios to others, and the goals](benchmarks.svg)
`;

/** docs/benchmarks.md. */
export function benchmarkPage(figures: readonly Figure[], machine: Machine): string {
  const findings = figures.flatMap(findingsOf);
  const { processor, cores, node, versions } = machine;
  const tools = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    head,
    '| figure | Assay | beside | ratio | goal | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...findings.map(row),
    '',
    `Measured on ${cores} cores of ${processor}, Node ${node}, ${tools.join(', ')}.`,
    '',
  ].join('\n');
}

function row({ title, unit, own, other, goal, isMet }: Finding): string {
  const cells = [
    title,
    `${number(own.median)} ${unit}`,
    other === undefined ? '' : `${other.name}: ${number(other.value.median)}`,
    other === undefined ? '' : spread(other.ratio),
    goal === undefined ? '' : goalText(goal),
    goal === undefined ? '' : isMet ? 'met' : 'missed',
  ];
  return `| ${cells.join(' | ')} |`;
}

const rowHeight = 26;
const labelWidth = 430;
const barWidth = 360;

/** docs/benchmarks.svg: each ratio as a bar, and its goal as a line across it, on a scale of tens. */
export function benchmarkChart(figures: readonly Figure[]): string {
  const findings = figures.flatMap(findingsOf).filter(({ other }) => other !== undefined);
  const height = findings.length * rowHeight + 30;
  const width = labelWidth + barWidth + 80;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...findings.map(bar),
    '</svg>',
    '',
  ].join('\n');
}

function bar({ title, other, goal, isMet }: Finding, index: number): string {
  const ratio = other?.ratio.median ?? Number.NaN;
  const y = 15 + index * rowHeight;
  const end = positionOf(ratio);
  const colour = isMet === false ? '#c26a2d' : '#2d7dc2';
  const at = goal && positionOf('atLeast' in goal ? goal.atLeast : goal.atMost);
  return [
    `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end">${title} / ${other?.name}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${end}" height="18" fill="${colour}"/>`,
    ...(at === undefined
      ? []
      : [`<rect x="${labelWidth + at}" y="${y - 2}" width="2" height="22" fill="#202020"/>`]),
    `<text x="${labelWidth + end + 6}" y="${y + 13}">${number(ratio)}</text>`,
  ].join('');
}

/** From a hundredth to a hundred. */
function positionOf(ratio: number): number {
  const share = (Math.log10(Math.max(0.01, Math.min(100, ratio))) + 2) / 4;
  return Math.max(2, Math.round(share * barWidth));
}
