import type { Clock } from '../kernel/clock.ts';
import type { JsonObject } from '../kernel/json.ts';
import { contractVersion, readAnswer, readMetadata, readOutput } from './answers.ts';
import { makePlaces, type Places } from './places.ts';
import { PluginError } from './plugin-error.ts';
import { type AllowedPlugin, runCommand } from './run-command.ts';
import type {
  PluginMetadata,
  VerificationPlugin,
  VerificationPlugins,
} from './verification-plugin.ts';

/** One run that has ended. */
export interface PluginRun {
  readonly plugin: string;
  readonly command: PluginCommand;
  /** `answered` says nothing of what was answered. */
  readonly outcome: 'answered' | 'cancelled' | PluginError['code'];
  readonly seconds: number;
  readonly error?: unknown;
}

export type PluginCommand = 'get-plugin-metadata' | 'verify-signature';

export interface PluginDependencies {
  readonly clock: Clock;
  /** Told of every run. */
  readonly onRun: (run: PluginRun) => void;
}

/** Processes at once; each is as heavy as it likes to be. */
const limits = { running: 4, waiting: 64 };

/** The plugins that are allowed, and no other; none is run before a signature asks for it. */
export function makePlugins(
  allowed: readonly AllowedPlugin[],
  dependencies: PluginDependencies,
): VerificationPlugins {
  const places = makePlaces(limits);
  const plugins = new Map(
    allowed.map((plugin) => [plugin.name, makePlugin(plugin, places, dependencies)]),
  );
  return { get: (name) => plugins.get(name) };
}

export const noPlugins: VerificationPlugins = { get: () => undefined };

function makePlugin(
  plugin: AllowedPlugin,
  places: Places,
  { clock, onRun }: PluginDependencies,
): VerificationPlugin {
  const { name } = plugin;
  const answer = async (
    command: PluginCommand,
    request: unknown,
    signal: AbortSignal,
  ): Promise<JsonObject> => {
    const place = await places.take(signal);
    if (place === undefined) {
      const message = `${name} is not run: ${limits.running} plugins run and ${limits.waiting} wait`;
      throw new PluginError('PLUGIN_BUSY', message);
    }
    try {
      return readOutput(name, await runCommand(plugin, command, request, signal));
    } finally {
      place.giveBack();
    }
  };
  const run = async <T>(
    command: PluginCommand,
    request: unknown,
    signal: AbortSignal,
    read: (document: JsonObject) => T,
  ): Promise<T> => {
    const started = clock.monotonicMs();
    const told = { plugin: name, command };
    const seconds = (): number => (clock.monotonicMs() - started) / 1000;
    try {
      const value = read(await answer(command, request, signal));
      onRun({ ...told, outcome: 'answered', seconds: seconds() });
      return value;
    } catch (error) {
      const outcome = error instanceof PluginError ? error.code : 'cancelled';
      onRun({ ...told, outcome, seconds: seconds(), error });
      throw error;
    }
  };
  // The file has one hash for as long as it may be run, so what it says of itself stays.
  let metadata: PluginMetadata | undefined;
  return {
    async describe(signal) {
      metadata ??= await run('get-plugin-metadata', {}, signal, (document) =>
        readMetadata(name, document),
      );
      return metadata;
    },
    verify: (question, signal) =>
      run('verify-signature', { contractVersion, ...question }, signal, (document) =>
        readAnswer(name, question, document),
      ),
  };
}
