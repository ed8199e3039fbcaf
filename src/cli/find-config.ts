import { existsSync } from 'node:fs';
import { StartupError } from '../compose/startup-error.ts';

const defaultFiles = ['assay.yaml', 'config/assay.yaml'];

/** The configuration named by `--config`, or the first of the usual ones that is there. */
export function findConfig(named: string | undefined): string {
  const found = findConfigIfAny(named);
  if (found !== undefined) return found;
  throw new StartupError(
    'CONFIGURATION_MISSING',
    'there is no configuration: neither ./assay.yaml nor config/assay.yaml exists here; name one with --config FILE',
  );
}

export function findConfigIfAny(named: string | undefined): string | undefined {
  return named ?? defaultFiles.find((file) => existsSync(file));
}
