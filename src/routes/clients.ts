import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Limit, OverLimitError } from '../gate/gate-error.ts';
import type { Clock } from '../kernel/clock.ts';
import { forgetOldest } from '../kernel/bounded.ts';
import type { Metrics } from '../observe/metric-list.ts';

/** What one client may have of us at a time, and all of them together. */
export interface ClientLimits {
  /** Requests of one client that wait for something to be found out. */
  readonly requests: number;
  /** Answers of one client that are streamed. */
  readonly streams: number;
  /** Requests of all clients that wait for something to be found out. */
  readonly coldRequests: number;
}

export const defaultClientLimits: ClientLimits = {
  requests: 1000,
  streams: 2000,
  coldRequests: 4000,
};

/**
 * Counts what clients have in hand. What is answered at once is not counted: it costs nothing but
 * the answer, and would pay for being counted.
 */
export interface Clients {
  /** Whom the request counts for. */
  nameOf(request: IncomingMessage): string;
  /** One more that waits for something; the returned function ends it. Throws `OverLimitError`. */
  beginWork(client: string): () => void;
  /** One more that is streamed. */
  beginStream(client: string): () => void;
  /** A refusal, counted; whether it is the client's first of that kind in a while, worth a line. */
  noteRefusal(client: string, limit: Limit): boolean;
}

/** Names the client from the address of a connection and what its proxy says. */
export type ClientOf = (caller: {
  readonly address: string | undefined;
  readonly forwardedFor: string | undefined;
}) => string;

export interface ClientsDependencies {
  readonly clientOf: ClientOf;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly metrics: Metrics;
}

const quietMs = 60_000;
const maxRemembered = 1_000;

export function makeClients(
  limits: ClientLimits,
  { clientOf, clock, metrics }: ClientsDependencies,
): Clients {
  const working = makeCounts();
  const streaming = makeCounts();
  const told = new Map<string, number>();
  let cold = 0;
  const names = new WeakMap<Socket, string>();
  return {
    nameOf({ socket, headers }) {
      const forwarded = headers['x-forwarded-for'];
      const forwardedFor = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
      // A proxy sends the requests of many over one connection.
      if (forwardedFor !== undefined) {
        return clientOf({ address: socket.remoteAddress, forwardedFor });
      }
      const known = names.get(socket);
      if (known !== undefined) return known;
      const name = clientOf({ address: socket.remoteAddress, forwardedFor: undefined });
      names.set(socket, name);
      return name;
    },
    beginWork(client) {
      if (working.of(client) >= limits.requests) {
        const message = `${limits.requests} of your requests have no answer yet`;
        throw new OverLimitError('client-requests', message, 1);
      }
      if (cold >= limits.coldRequests) {
        const message = 'too many requests wait for something to be found out';
        throw new OverLimitError('cold-requests', message, 2);
      }
      cold += 1;
      metrics.set('assay_cold_requests', {}, cold);
      const end = working.begin(client);
      return () => {
        end();
        cold -= 1;
        metrics.set('assay_cold_requests', {}, cold);
      };
    },
    beginStream(client) {
      if (streaming.of(client) >= limits.streams) {
        const message = `${limits.streams} blobs are being sent to you already`;
        throw new OverLimitError('client-streams', message, 5);
      }
      return streaming.begin(client);
    },
    noteRefusal(client, limit) {
      metrics.count('assay_over_limit_total', { limit });
      const name = `${limit} ${client}`;
      const now = clock.monotonicMs();
      if (now - (told.get(name) ?? -Infinity) < quietMs) return false;
      told.delete(name);
      told.set(name, now);
      forgetOldest(told, maxRemembered);
      return true;
    },
  };
}

/** Remembers those alone who have something. */
function makeCounts() {
  const counts = new Map<string, number>();
  return {
    of: (client: string): number => counts.get(client) ?? 0,
    begin(client: string): () => void {
      counts.set(client, (counts.get(client) ?? 0) + 1);
      return () => {
        const left = (counts.get(client) ?? 1) - 1;
        if (left > 0) counts.set(client, left);
        else counts.delete(client);
      };
    },
  };
}
