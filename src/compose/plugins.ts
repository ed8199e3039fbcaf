import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import { makePlugins, type PluginRun } from '../plugins/plugins.ts';
import type { AllowedPlugin } from '../plugins/run-command.ts';
import type { VerificationPlugins } from '../plugins/verification-plugin.ts';
import type { Observed } from './verifier.ts';

/** The verification plugins that the configuration allows; each run is counted, each failure logged. */
export function makeConfiguredPlugins(
  config: Pick<Config, 'trust'>,
  { clock, metrics, log }: Observed,
): VerificationPlugins {
  const onRun = ({ plugin, command, outcome, seconds, error }: PluginRun): void => {
    metrics.count('assay_plugin_runs_total', { plugin, command, outcome });
    metrics.time('assay_plugin_seconds', { plugin, command }, seconds);
    if (error === undefined) log.debug({ plugin, command, seconds }, 'a plugin answered');
    else log.warn({ plugin, command, seconds, error }, 'a plugin gave no answer that counts');
  };
  return makePlugins(allowedPlugins(config), { clock, onRun });
}

export function allowedPlugins({
  trust: { plugins },
}: Pick<Config, 'trust'>): readonly AllowedPlugin[] {
  return Object.entries(plugins).map(([name, { path, sha256, timeout }]) => ({
    name,
    path,
    sha256,
    timeoutMs: timeout.ms,
  }));
}

/**
 * What a plugin has vouched for rests upon it: with other plugins, every chain to a trust store is
 * judged anew, in the verdicts that an earlier process has left too.
 */
export function withPlugins<Trust extends TrustMaterial>(
  trust: Trust,
  plugins: readonly Pick<AllowedPlugin, 'name' | 'sha256'>[],
): Trust {
  if (plugins.length === 0) return trust;
  const names = plugins.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted();
  return {
    ...trust,
    notationStoreDigest: (store) =>
      createHash('sha256')
        .update([trust.notationStoreDigest(store), ...names].join('\n'))
        .digest('hex'),
  };
}
