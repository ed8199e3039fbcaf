import { appendFileSync } from 'node:fs';

/** Something measured of Assay and of others in one run, each in several rounds. */
export interface Figure {
  /** Such as "warm manifest GET by digest". */
  readonly title: string;
  /** Such as "requests/s". */
  readonly unit: string;
  /** By whose it is: a value a round, the same rounds for all. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Whose value is ours; the first of `values` unless told. */
  readonly own?: string;
  /** What our value divided by another's should be. */
  readonly ratios?: Readonly<Record<string, Goal>>;
  /** What our value itself should be. */
  readonly goal?: Goal;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** In the middle, and at both ends. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** One line of what the figure says: of us, or of us beside another. */
export interface Finding {
  readonly title: string;
  readonly unit: string;
  readonly own: Spread;
  readonly other?: { readonly name: string; readonly value: Spread; readonly ratio: Spread };
  readonly goal?: Goal;
  readonly isMet?: boolean;
}

/** Prints the figure, and hands it on to who asked for all of them. */
export function report(figure: Figure): void {
  console.log(`\n${figure.title}`);
  for (const finding of findingsOf(figure)) console.log(`  ${describe(finding)}`);
  const file = process.env['ASSAY_BENCH_RECORD'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}

export function findingsOf(figure: Figure): readonly Finding[] {
  const { title, unit, values, ratios = {}, goal } = figure;
  const [ownName = figure.own, ...others] = Object.keys(values);
  const ownValues = values[figure.own ?? ownName ?? ''] ?? [];
  const own = spreadOf(ownValues);
  const alone: Finding = { title, unit, own, ...judged(own.median, goal) };
  const beside = others.map((name): Finding => {
    const theirs = values[name] ?? [];
    const ratio = spreadOf(ownValues.map((value, round) => value / (theirs[round] ?? Number.NaN)));
    const other = { name, value: spreadOf(theirs), ratio };
    return { title, unit, own, other, ...judged(ratio.median, ratios[name]) };
  });
  return goal === undefined && beside.length > 0 ? beside : [alone, ...beside];
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}

function judged(value: number, goal: Goal | undefined): Pick<Finding, 'goal' | 'isMet'> {
  if (goal === undefined) return {};
  const isMet = 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
  return { goal, isMet };
}

function describe({ unit, own, other, goal, isMet }: Finding): string {
  const ours = `assay ${number(own.median)} ${unit}`;
  const beside =
    other === undefined
      ? ''
      : `, ${other.name} ${number(other.value.median)}: ${spread(other.ratio)} of it`;
  const says = goal === undefined ? '' : ` (goal ${goalText(goal)}: ${isMet ? 'met' : 'missed'})`;
  return `${ours}${beside}${says}`;
}

export function goalText(goal: Goal): string {
  return 'atLeast' in goal ? `at least ${number(goal.atLeast)}` : `at most ${number(goal.atMost)}`;
}

/** Nothing where there is no ratio, as of another's value of nought. */
export function spread({ median, least, most }: Spread): string {
  if (!Number.isFinite(median)) return '–';
  return `${number(median)} [${number(least)}–${number(most)}]`;
}

/** Three digits that count, and no more than all before the point. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(3)));
}
