import type { HandedConfig } from '../config/hand-over.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { Readiness } from '../admin/health.ts';
import type { LeaseQuestion } from './host-leases.ts';
import type { Address } from './listen.ts';
import type { StartupErrorCode } from './startup-error.ts';

/** What the primary says to a worker. */
export type ToWorker =
  | ({ readonly kind: 'start' } & WorkerStart)
  /** Load policy and trust material anew. */
  | { readonly kind: 'reload' }
  /** No more connections; end when all answers are sent. */
  | { readonly kind: 'close' }
  /** End without waiting for answers. */
  | { readonly kind: 'cut' }
  /** A worker that leaves this unanswered for long hangs. */
  | { readonly kind: 'are-you-alive' }
  | Told
  | { readonly kind: 'question'; readonly id: number; readonly question: WorkerQuestion }
  | Answer<number>;

export interface WorkerStart {
  /** From 1; the one that takes the place of another has its number. */
  readonly worker: number;
  readonly config: HandedConfig;
  /** As `Host.replica`. */
  readonly replica: string;
  readonly admin: Address;
}

export type WorkerQuestion = 'metrics' | 'ready';

/** What a worker says to the primary. */
export type FromWorker =
  /** It hears what is said to it. */
  | { readonly kind: 'hello' }
  /** What decides in it, as `App.inForce` says; undefined: nothing yet. */
  | { readonly kind: 'alive'; readonly inForce: string | undefined }
  | { readonly kind: 'listening'; readonly port: number }
  /** It ends by itself after this. */
  | {
      readonly kind: 'failed';
      readonly code: StartupErrorCode;
      readonly messages: readonly string[];
    }
  /** All that it has counted, at its end. */
  | { readonly kind: 'ended'; readonly metrics: MetricsSnapshot }
  | Told
  | { readonly kind: 'question'; readonly id: number; readonly question: LeaseQuestion }
  | Answer<MetricsSnapshot | Readiness>;

/** A notification from another process of this host. */
interface Told {
  readonly kind: 'told';
  readonly channel: string;
  readonly message: string;
}

interface Answer<T> {
  readonly kind: 'answer';
  readonly id: number;
  readonly answer: T;
}
