import { join } from 'node:path';
import type { Judge } from '../interop/notation/run-assay.ts';
import type { Artifact } from '../support/build-image.ts';
import { childrenMs, ownMs } from './cpu-time.ts';
import { type Goal, report } from './figure.ts';

/** Images of one repository, and a tool that verifies them too. */
export interface Contest {
  readonly name: string;
  readonly path: string;
  readonly images: readonly Artifact[];
  /** A verifier that remembers nothing, with what Assay read of policy and trust store. */
  readonly makeJudge: () => Judge;
  /** Judges all images without fetching anything. */
  readonly judgeInMemory?: () => Promise<void>;
  readonly tool: Tool;
}

export interface Tool {
  /** What is compared, such as `notation verify`. */
  readonly name: string;
  /** Shell words that verify one image. */
  readonly verify: (digest: string) => string;
  /** Shell words that start it for nothing. */
  readonly start: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Effort {
  readonly rounds: number;
  readonly warmRounds: number;
  /** For scripts. */
  readonly folder: string;
}

interface Times {
  readonly own: number[];
  readonly inMemory: number[];
  readonly theirs: number[];
  readonly starts: number[];
}

export async function judgeAll({ path, images, makeJudge }: Contest): Promise<void> {
  const judge = makeJudge();
  for (const image of images) {
    const { accepted, said } = await judge(path, image);
    if (!accepted) throw new Error(`assay refused ${image.descriptor.digest}: ${said}`);
  }
}

/** Runs both in turns and says what a verdict costs each. */
export async function compareVerdicts(contest: Contest, effort: Effort): Promise<void> {
  const { images, judgeInMemory, tool } = contest;
  const script = join(effort.folder, 'script.sh');
  const run = (lines: readonly string[]): Promise<number> => childrenMs(script, lines, tool.env);
  // As in a proxy that runs: its code is compiled.
  for (let round = 0; round < effort.warmRounds; round += 1) {
    await judgeAll(contest);
    await judgeInMemory?.();
  }
  const times: Times = { own: [], inMemory: [], theirs: [], starts: [] };
  for (let round = 0; round < effort.rounds; round += 1) {
    times.theirs.push(
      await run(images.map(({ descriptor }) => `${tool.verify(descriptor.digest)} || exit 1`)),
    );
    times.starts.push(await run(images.map(() => tool.start)));
    times.own.push(await ownMs(() => judgeAll(contest)));
    if (judgeInMemory) times.inMemory.push(await ownMs(judgeInMemory));
  }
  reportTimes(contest, times);
}

function reportTimes({ name, images, tool }: Contest, times: Times): void {
  const each = (all: readonly number[]): readonly number[] =>
    all.map((value) => value / images.length);
  const own = each(times.own);
  const theirs = each(times.theirs);
  const starts = each(times.starts);
  const title = `cold verdict, ${name}`;
  const goal: Goal = { atMost: tool.name.startsWith('cosign') ? 1 / 20 : 1 / 10 };
  const ratios = { [tool.name]: goal };
  report({ title, unit: 'CPU ms', values: { assay: own, [tool.name]: theirs }, ratios });
  const without = theirs.map((value, round) => value - (starts[round] ?? Number.NaN));
  const values = { assay: own, [`${tool.name} without its start`]: without };
  report({ title, unit: 'CPU ms', values });
  if (times.inMemory.length > 0) {
    const inMemory = { assay: each(times.inMemory) };
    report({ title: `${title}, without fetching`, unit: 'CPU ms', values: inMemory });
  }
}
