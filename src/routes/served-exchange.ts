import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, RouteServices } from './exchange.ts';
import type { Reference } from '../oci/reference.ts';
import type { NamedRepository } from './names.ts';
import type { RouteName } from './path.ts';

interface Begun {
  readonly id: string;
  readonly services: RouteServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly rawUrl: string;
}

/**
 * An exchange from its request until its response closes. A class, since `signal` must be made
 * late, and each object literal with a getter has a shape of its own: those shapes live until a
 * full collection, and keep everything that they reach of the request with them.
 */
export class ServedExchange implements Exchange {
  readonly id: string;
  readonly services: RouteServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly rawUrl: string;
  readonly startedMs: number;
  route: RouteName = 'none';
  named: NamedRepository | undefined = undefined;
  reference: Reference | undefined = undefined;
  /** Made when somebody waits by it: most answers are at hand. */
  #client: AbortController | undefined = undefined;
  #hasEnded = false;

  constructor({ id, services, request, response, rawUrl }: Begun) {
    this.id = id;
    this.services = services;
    this.request = request;
    this.response = response;
    this.rawUrl = rawUrl;
    this.startedMs = services.clock.monotonicMs();
  }

  get signal(): AbortSignal {
    this.#client ??= new AbortController();
    this.#abortIfGone();
    return this.#client.signal;
  }

  /** To be called when the response has closed; says whether that is the first time. */
  end(): boolean {
    const isFirst = !this.#hasEnded;
    this.#hasEnded = true;
    this.#abortIfGone();
    return isFirst;
  }

  #abortIfGone(): void {
    const { closed, writableEnded } = this.response;
    if (closed && !writableEnded) this.#client?.abort(clientGone());
  }
}

/** To others, should they ever hear of it, an end of waiting like any other: try again. */
function clientGone(): DOMException {
  return new DOMException('the client is gone', 'AbortError');
}
