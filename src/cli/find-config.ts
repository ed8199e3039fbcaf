import { existsSync } from 'node:fs';
import { StartupError } from '../compose/startup-error.ts';

const defaultFiles = ['assay.yaml', 'config/assay.yaml'];

/** The configuration named by `--config`, or the first of the usual ones that is there. */
export function findConfig(named: string | undefined): string {
  if (named !== undefined) return named;
  const found = defaultFiles.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new StartupError(
    'CONFIGURATION_MISSING',
    'there is no configuration: neither ./assay.yaml nor config/assay.yaml exists here; name one with --config FILE',
  );
}
