import { earliest } from '../kernel/earliest.ts';

/** `from` plus at most `longestMs`, and never past `until`. */
export function lifetimeEnd(from: Date, longestMs: number, until: Date | undefined): Date {
  return earliest(new Date(from.getTime() + longestMs), until);
}
