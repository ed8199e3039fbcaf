import type { Test } from 'tap';
import { parseRepositoryPath, type RepositoryPath } from '../../src/oci/repository.ts';
import { parseTag, type Tag } from '../../src/oci/reference.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import type { RemoteDependencies, RemoteOptions } from '../../src/upstream/remote-options.ts';
import { makeRemoteSource } from '../../src/upstream/remote-source.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { openScriptedUpstream, type ScriptedUpstream } from './scripted-upstream.ts';
import { type CountingMetrics, makeCountingMetrics } from './silence.ts';

export const path = parseRepositoryPath('team/app') as RepositoryPath;
export const tag = parseTag('v1') as Tag;
/** Of a call that nobody gives up. */
export const signal: AbortSignal = new AbortController().signal;

export interface RemoteKit {
  readonly upstream: ScriptedUpstream;
  readonly source: ContentSource;
  readonly metrics: CountingMetrics;
  readonly clock: FakeClock;
  /** What retries waited for, in milliseconds; nobody really waits. */
  readonly waits: readonly number[];
}

/** A scripted upstream and the remote source that asks it. Both end with the test. */
export async function openRemoteKit(
  t: Test,
  options: Partial<RemoteOptions> = {},
  dependencies: Partial<RemoteDependencies> = {},
): Promise<RemoteKit> {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  return { upstream, ...openRemote(t, upstream.origin, options, dependencies) };
}

export function openRemote(
  t: Test,
  url: string,
  options: Partial<RemoteOptions> = {},
  dependencies: Partial<RemoteDependencies> = {},
): Omit<RemoteKit, 'upstream'> {
  const metrics = makeCountingMetrics();
  const clock = makeFakeClock();
  const waits: number[] = [];
  const wait = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  const source = makeRemoteSource(
    { name: 'lab', url, plainHttp: 'allowed', ...options },
    { clock, metrics, wait, ...dependencies },
  );
  t.teardown(() => source.close());
  return { source, metrics, clock, waits };
}

/** The error that a call ends with; fails the test where it does not, or with another kind. */
export async function failureOf(t: Test, call: Promise<unknown>): Promise<UpstreamError> {
  const outcome: unknown = await call.then(
    (value) => new Error(`it resolved with ${JSON.stringify(value)?.slice(0, 100)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof UpstreamError) return outcome;
  t.fail('the call ends with an UpstreamError', { found: outcome });
  return new UpstreamError('UPSTREAM_FAILED', '');
}
