/** A key that signs, wherever it is kept. */
export interface Signer {
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
  /** How TUF calls its key and signatures (TUF specification 4.2). */
  readonly scheme: 'ed25519' | 'ecdsa-sha2-nistp256';
  /** Throws `SignerError`. `ecdsa` signatures are DER. */
  sign(message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}
