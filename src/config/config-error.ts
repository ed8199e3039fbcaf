import { describeProblems, type Problem } from '../files/problem.ts';
import { TaggedError } from '../kernel/tagged-error.ts';

export type ConfigErrorCode =
  /** The file itself can't be read. */
  'CONFIG_UNREADABLE' | 'CONFIG_INVALID';

/** A configuration that can't be used, with everything that is wrong in it. */
export class ConfigError extends TaggedError<ConfigErrorCode> {
  /** One a problem: `FILE:LINE:COLUMN: PATH: MESSAGE`. */
  readonly messages: readonly string[];

  constructor(code: ConfigErrorCode, messages: readonly string[], options?: ErrorOptions) {
    super(code, `the configuration can not be used:\n${messages.join('\n')}`, options);
    this.messages = messages;
  }
}

export function invalidConfig(file: string, problems: readonly Problem[]): ConfigError {
  return new ConfigError('CONFIG_INVALID', describeProblems(file, problems));
}
