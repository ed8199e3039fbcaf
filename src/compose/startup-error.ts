import { TaggedError } from '../kernel/tagged-error.ts';

export type StartupErrorCode =
  /** No configuration was named, and there is none where one is looked for. */
  | 'CONFIGURATION_MISSING'
  /** The trust policy does not load. */
  | 'POLICY_UNUSABLE'
  /** The trust store does not load. */
  | 'TRUST_STORE_UNUSABLE'
  /** The folder for state can't be made, read or written. */
  | 'STATE_UNUSABLE'
  /** Another server has the folder for state. */
  | 'STORAGE_IN_USE'
  /** Something that the configuration names for an upstream (a CA, a layout) can't be used. */
  | 'UPSTREAM_UNUSABLE'
  /** An address to listen on is taken, or not ours. */
  | 'ADDRESS_UNUSABLE'
  /** A TLS certificate or key of ours can't be used. */
  | 'TLS_UNUSABLE';

/** Why Assay can't start, in sentences that name the thing; all of them, not only the first. */
export class StartupError extends TaggedError<StartupErrorCode> {
  readonly messages: readonly string[];

  constructor(
    code: StartupErrorCode,
    messages: readonly string[] | string,
    options?: ErrorOptions,
  ) {
    const all = typeof messages === 'string' ? [messages] : messages;
    super(code, all.join('; '), options);
    this.messages = all;
  }
}
