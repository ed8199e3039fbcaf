import { abortable } from '../kernel/abort.ts';

/** Room in memory for envelopes, which all verifications share. */
export interface EnvelopeRoom {
  /**
   * Waits, in turn, until so many bytes fit, and takes them; one that fits nowhere goes in alone.
   * What it gives back makes room again, once. Rejects with the signal's reason.
   */
  enter(bytes: number, signal: AbortSignal): Promise<() => void>;
}

export function makeEnvelopeRoom(maxBytes: number): EnvelopeRoom {
  let taken = 0;
  const waiting: { readonly bytes: number; readonly admit: () => void }[] = [];
  const fits = (bytes: number): boolean => taken === 0 || taken + bytes <= maxBytes;
  const admitSome = (): void => {
    for (let first; (first = waiting[0]) !== undefined && fits(first.bytes);) {
      waiting.shift();
      taken += first.bytes;
      first.admit();
    }
  };
  const leaver = (bytes: number): (() => void) => {
    let isInside = true;
    return () => {
      if (isInside) taken -= bytes;
      isInside = false;
      admitSome();
    };
  };
  return {
    async enter(bytes, signal) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const place = { bytes, admit: resolve };
      waiting.push(place);
      admitSome();
      const leave = leaver(bytes);
      try {
        await abortable(promise, signal);
        return leave;
      } catch (error) {
        const index = waiting.indexOf(place);
        if (index < 0) leave();
        else waiting.splice(index, 1);
        admitSome();
        throw error;
      }
    },
  };
}
