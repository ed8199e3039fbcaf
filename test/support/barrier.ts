/** A place where one side waits until the other lets it go on: order without sleeping. */
export interface Barrier {
  /** Resolves when somebody has come to the barrier. */
  readonly reached: Promise<void>;
  /** Waits here until `release`. */
  pass(): Promise<void>;
  /** Lets everybody through, now and later. */
  release(): void;
}

export function makeBarrier(): Barrier {
  const arrival = Promise.withResolvers<void>();
  const opening = Promise.withResolvers<void>();
  return {
    reached: arrival.promise,
    pass() {
      arrival.resolve();
      return opening.promise;
    },
    release: () => opening.resolve(),
  };
}
