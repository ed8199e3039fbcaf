/** Fields of one log line. Never headers, tokens, or untrusted text that was not bounded. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the layers write; compose/ hands in one over pino. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
