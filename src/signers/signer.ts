/** A key that signs, wherever it is kept. */
export interface Signer {
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
  /** How TUF calls its key and signatures (TUF specification 4.2). */
  readonly scheme: 'ed25519' | 'ecdsa-sha2-nistp256';
  /** Throws `SignerError`. `ecdsa` signatures are DER. */
  sign(message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** Where keys may be kept: one file, and one line in `signers/index.ts`. */
export interface SignerKind {
  /** What its URIs begin with, without the colon. */
  readonly scheme: string;
  /** Throws `SignerError`. */
  open(uri: string, context: SignerContext): Promise<Signer>;
}

export interface SignerContext {
  /** What paths in URIs are relative to. */
  readonly base: string;
  /** Where passphrases may be. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
