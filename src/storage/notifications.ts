/**
 * Words that replicas send each other. They may be lost, come twice or late, and be anybody's who
 * reaches the channel: a hint to look at the state now, never a fact. Nothing rests on them alone.
 */
export interface Notifications {
  /** Resolves once it is sent, whoever hears it; rejects where it can't be. At most 1 KiB. */
  publish(channel: string, message: string): Promise<void>;
  /**
   * Calls the listener for each message on the channel, its own process's included, until the
   * returned function is called. A listener must not throw.
   */
  subscribe(channel: string, listener: NotificationListener): () => void;
  close(): Promise<void>;
}

export type NotificationListener = (message: string) => void;
