/** One thing that an SBOM lists. */
export interface Component {
  readonly name: string;
  /** SPDX expressions, identifiers or plain names; empty where nothing is said. */
  readonly licenses: readonly string[];
}

/** What an SBOM lists, or why it can't be read. */
export type Components = readonly Component[] | { readonly problem: string };
