/** Yields the text of a file that a policy refers to, by the path as it is written there. */
export type ReadReferredFile = (path: string) => Promise<string>;

/**
 * Yields a public key in PEM by a URI such as `awskms://…` or `k8s://NAMESPACE/SECRET`; undefined
 * where its scheme is none that can be asked. Asked once, at load: nothing is asked of a key
 * service while something is verified.
 */
export type ReadReferredKey = (uri: string) => Promise<string | undefined>;

/** Whatever a policy names that is not in it. */
export interface Referred {
  readonly readFile: ReadReferredFile;
  /** Undefined where key services can't be asked: then a policy that names one does not load. */
  readonly readKey?: ReadReferredKey;
}
