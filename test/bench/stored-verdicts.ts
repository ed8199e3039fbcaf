import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/load.ts';
import { openState } from '../../src/compose/state.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Verdict } from '../../src/verdict/verdict.ts';
import { makeCountingMetrics, makeKeptLog } from '../support/silence.ts';

const together = 10_000;

/** Beside a verdict that a server left in its state, so many more like it, of other subjects. */
export async function storeVerdicts(configFile: string, count: number): Promise<void> {
  const config = await loadConfig(configFile);
  await using opened = new AsyncDisposableStack();
  const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
  const { sealed } = await openState(config, observed, opened, {});
  const [name = ''] = await sealed.names('verdict/', 1);
  const verdict = (await sealed.get(name)) as Verdict | undefined;
  if (verdict === undefined) throw new Error('the state holds no verdict yet');
  const { scope } = verdict;
  for (let from = 0; from < count; from += together) {
    const indices = Array.from({ length: Math.min(together, count - from) }, (_, at) => from + at);
    await Promise.all(
      indices.map(async (index) => {
        const subject = digestOf(Buffer.from(`subject ${index}`));
        const copy = { ...verdict, id: randomUUID(), subject };
        await sealed.put(`verdict/${scope}@${subject}`, copy);
      }),
    );
  }
}
