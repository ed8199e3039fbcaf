import type { Test } from 'tap';
import { type AppKit, reasonOf, signatureOf } from './app-kit.ts';
import { type Artifact, buildImage, buildIndex } from './build-image.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';
import {
  pathsOf,
  type Replicas,
  type ReplicasOptions,
  startReplicas,
  untilUp,
} from './replicas-kit.ts';
import { untilTrue } from './redis-server.ts';

export const signed = buildIndex({ name: 'signed', attestation: 'with' });
export const another = buildIndex({ name: 'another' });
export const unsigned = buildIndex({ name: 'unsigned' });
export const alone = buildImage({ name: 'alone' });

/** Past it an answer counts as none. */
const hangMs = 15_000;

export interface FaultKit extends Replicas {
  readonly registry: FakeRegistry;
}

/** A registry with what is signed and what is not, and replicas on the given Redis. */
export async function makeFaultKit(
  t: Test,
  redis: object,
  count = 2,
  options: Partial<ReplicasOptions> = {},
): Promise<FaultKit> {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  for (const [tag, artifact] of Object.entries({ signed, another, alone })) {
    registry.put('app', artifact, tag);
    registry.put('app', signatureOf(artifact.descriptor));
  }
  registry.put('app', unsigned, 'unsigned');
  const replicas = await startReplicas(t, count, {
    upstreams: { reg: registry.url },
    redis,
    ...options,
  });
  return { ...replicas, registry };
}

/** The status of an answer that comes whole and in time, and with it what a denial says. */
export async function statusOf(replica: AppKit, path: string): Promise<string> {
  const answer = await Promise.race([
    replica.ask(path),
    new Promise<undefined>((resolve) => setTimeout(resolve, hangMs, undefined).unref()),
  ]);
  if (answer === undefined) return 'no answer';
  const reason = reasonOf(answer);
  return reason === undefined ? String(answer.status) : `${answer.status} ${reason}`;
}

/** Everything of an image comes from the replica. */
export async function servesAll(
  t: Test,
  replica: AppKit,
  tag: string,
  artifact: Artifact,
  what: string,
): Promise<void> {
  for (const path of pathsOf('reg/app', tag, artifact)) {
    t.equal(await statusOf(replica, path), '200', `${what}: ${path}`);
  }
}

/** Nothing of what is unsigned comes from any of them, and each says so in time. */
export async function refusesUnsigned(
  t: Test,
  replicas: readonly AppKit[],
  what: string,
): Promise<void> {
  for (const [at, replica] of replicas.entries()) {
    for (const path of pathsOf('reg/app', 'unsigned', unsigned)) {
      t.match(await statusOf(replica, path), /^(?:403 .*|503)$/, `${what}, replica ${at}: ${path}`);
    }
  }
}

/** The image comes from replicas in turn, none of which has served any of it: soon, by itself. */
export async function recovers(t: Test, kit: FaultKit, what: string): Promise<void> {
  await untilUp(...kit.all);
  const fresh = [await kit.add(), await kit.add()];
  await untilUp(...fresh);
  for (const [at, path] of pathsOf('reg/app', 'another', another).entries()) {
    const replica = fresh[at % fresh.length]!;
    let last = '';
    const isServed = async (): Promise<boolean> => {
      last = await statusOf(replica, path);
      t.notMatch(last, /^403/, `${what}, afterwards: ${path} is never denied`);
      return last === '200';
    };
    await untilTrue(isServed, 30_000).catch(() => undefined);
    t.equal(last, '200', `${what}, afterwards: ${path}`);
  }
  await refusesUnsigned(t, kit.all, `${what}, afterwards`);
}
