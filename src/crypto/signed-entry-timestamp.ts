/** What Rekor v1 promises with a signed entry timestamp: that its log has, or will have, the entry. */
export interface PromisedEntry {
  /** The entry's body as the log keeps it, not its base64. */
  readonly body: Uint8Array;
  /** Seconds since 1970. Believed only where the promise's signature verifies. */
  readonly integratedTimeSeconds: number;
  /** The log's key: SHA-256 of its SPKI DER. */
  readonly logId: Uint8Array;
  /** The entry's place over all shards, from 0. */
  readonly logIndex: number;
}

/**
 * The bytes that a signed entry timestamp covers: {body, integratedTime, logID, logIndex} by RFC
 * 8785. Four members whose names are in order, base64, hex and whole numbers: nothing of that
 * standard is needed beyond their plain text.
 */
export function signedEntryTimestampInput(entry: PromisedEntry): Uint8Array {
  const body = Buffer.from(entry.body).toString('base64');
  const logID = Buffer.from(entry.logId).toString('hex');
  const { integratedTimeSeconds: integratedTime, logIndex } = entry;
  if (!Number.isSafeInteger(integratedTime) || !Number.isSafeInteger(logIndex)) {
    throw new TypeError('the numbers of an entry are whole');
  }
  return Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
}
