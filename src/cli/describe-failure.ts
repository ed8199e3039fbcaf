import { type AirgapBlame, blameOf } from '../compose/airgap-failure.ts';
import { ImageListError } from '../compose/image-list-error.ts';
import { ImageNameError } from '../compose/image-name.ts';
import { StartupError } from '../compose/startup-error.ts';
import { WorkersError } from '../compose/workers-error.ts';
import { ConfigError } from '../config/config-error.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

export interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  /** One a problem, for a person. */
  readonly lines: readonly string[];
}

const blameCodes = {
  bundle: exitCodes.untrusted,
  moment: exitCodes.inconclusive,
  site: exitCodes.badConfiguration,
  usage: exitCodes.usage,
} as const satisfies Record<AirgapBlame, ExitCode>;

/** What a person and a script get to know of an error. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError || error instanceof ImageNameError) {
    return { exitCode: exitCodes.usage, code: error.code, lines: [error.message] };
  }
  if (error instanceof ImageListError) {
    return { exitCode: exitCodes.usage, code: error.code, lines: error.messages };
  }
  if (error instanceof ConfigError) {
    return { exitCode: exitCodes.badConfiguration, code: error.code, lines: error.messages };
  }
  if (error instanceof StartupError) {
    const exitCode =
      error.code === 'ADDRESS_UNUSABLE' ? exitCodes.untrusted : exitCodes.badConfiguration;
    return { exitCode, code: error.code, lines: error.messages };
  }
  if (error instanceof WorkersError) {
    return { exitCode: exitCodes.internal, code: error.code, lines: [error.message] };
  }
  if (error instanceof TaggedError) {
    const blame = blameOf(error);
    if (blame !== undefined) {
      return { exitCode: blameCodes[blame], code: error.code as string, lines: [error.message] };
    }
    // Every layer's way to say that something could not be found out.
    return { exitCode: exitCodes.inconclusive, code: error.code as string, lines: [error.message] };
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    const lines = ['it could not be found out in time'];
    return { exitCode: exitCodes.inconclusive, code: 'TIMEOUT', lines };
  }
  const lines = [`internal error: ${messageOf(error)}`];
  return { exitCode: exitCodes.internal, code: 'INTERNAL', lines };
}
