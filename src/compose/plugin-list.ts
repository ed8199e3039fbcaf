import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { makePlugins } from '../plugins/plugins.ts';
import type { AllowedPlugin } from '../plugins/run-command.ts';
import { allowedPlugins } from './plugins.ts';

export interface PluginListed {
  readonly name: string;
  readonly path: string;
  /** That is allowed. */
  readonly sha256: string;
  /** What it says of itself; undefined where it could not be asked. */
  readonly version?: string;
  readonly capabilities?: readonly string[];
  /** Why it can't be used. */
  readonly because?: string;
}

/** Asks every allowed plugin what it is, as a verification would. */
export async function listPlugins(
  config: Pick<Config, 'trust'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly PluginListed[]> {
  const allowed = allowedPlugins(config);
  const plugins = makePlugins(allowed, { clock, onRun: () => undefined });
  const ask = async ({ name, path, sha256 }: AllowedPlugin): Promise<PluginListed> => {
    try {
      const metadata = await plugins.get(name)?.describe(signal);
      const { version, capabilities } = metadata ?? {};
      return { name, path, sha256, ...(version && { version, capabilities: capabilities ?? [] }) };
    } catch (error) {
      return { name, path, sha256, because: messageOf(error) };
    }
  };
  const listed: PluginListed[] = [];
  for (const plugin of allowed) listed.push(await ask(plugin));
  return listed;
}
