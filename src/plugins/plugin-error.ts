import { TaggedError } from '../kernel/tagged-error.ts';

export type PluginErrorCode =
  /** The file is not there, no regular file, or others may write it. */
  | 'PLUGIN_UNUSABLE'
  /** The file has another SHA-256 than the configuration says. */
  | 'PLUGIN_CHANGED'
  /** It could not be started, ended with an error, or said too much. */
  | 'PLUGIN_FAILED'
  /** It did not answer within its time. */
  | 'PLUGIN_TIMEOUT'
  /** Its answer is not what the contract says. */
  | 'PLUGIN_ANSWER_MALFORMED'
  /** As many as may are running, and as many as may are waiting. */
  | 'PLUGIN_BUSY';

/** Why nothing was found out by a plugin. It never means "no": that is an answer. */
export class PluginError extends TaggedError<PluginErrorCode> {}
