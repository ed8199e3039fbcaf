import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.ts';
import { composeApp } from './app.ts';
import type { Runnable } from './run.ts';

/** As many processes as `workers` says: one is the app itself. Throws `StartupError`. */
export async function composeServing(config: Config): Promise<Runnable> {
  const count = config.workers === 'auto' ? availableParallelism() : config.workers;
  if (count === 1) return composeApp(config);
  // What watches over others is loaded by those who have some.
  const { composePrimary } = await import('./primary.ts');
  return composePrimary(config, count);
}
