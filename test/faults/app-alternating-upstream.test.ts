import t from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { acme, type AppKit, type Reply, signatureOf, startAppKit } from '../support/app-kit.ts';
import { type Artifact, buildImage, buildIndex } from '../support/build-image.ts';
import { type FakeClock, makeFakeClock } from '../support/fake-clock.ts';
import { manifestAnswer } from '../support/scripted-answers.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { SeenRequest, Step } from '../support/scripted-upstream.ts';

/**
 * An upstream that answers each request with other bytes: what was verified is what is served
 * (CVE-2022-47633: a second request got another manifest).
 */

interface Pair {
  readonly tag: string;
  readonly signed: Artifact;
  readonly unsigned: Artifact;
}

const rounds = 30;
const turnsPerRound = 8;

function makePair(round: number): Pair {
  const build = (name: string): Artifact =>
    round % 3 === 0 ? buildIndex({ name }) : buildImage({ name });
  return {
    tag: `v${round}`,
    signed: build(`signed ${round}`),
    unsigned: build(`unsigned ${round}`),
  };
}

/** Each kind of answer in turn, so that every pull meets another sequence of them. */
function lie(count: number, { signed, unsigned }: Pair, request: SeenRequest): Step {
  const artifact = Math.floor(count / 3) % 2 === 0 ? signed : unsigned;
  const other = artifact === signed ? unsigned : signed;
  const right = manifestAnswer(artifact.bytes, artifact.descriptor.mediaType);
  if (request.path.includes('sha256:')) return right;
  const type = artifact.descriptor.mediaType;
  switch (count % 4) {
    case 0:
      return { ...right, headers: { 'content-type': type } };
    case 1:
      return {
        ...right,
        headers: { 'content-type': type, 'docker-content-digest': other.descriptor.digest },
      };
    default:
      return right;
  }
}

async function open(
  t: Parameters<typeof startAppKit>[0],
): Promise<{ kit: AppKit; registry: ScriptedRegistry; clock: FakeClock }> {
  const registry = await openScriptedRegistry(t);
  const clock = makeFakeClock();
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin }, clock });
  return { kit, registry, clock };
}

function trustedDigests(kit: AppKit): Set<unknown> {
  const verdicts = kit.lines.filter(({ message }) => message === 'verdict');
  return new Set(verdicts.filter(({ kind }) => kind === 'trusted').map(({ digest }) => digest));
}

t.test('of bytes that change with each request only the verified ones are served', async (t) => {
  const { kit, registry, clock } = await open(t);
  const pairs = Array.from({ length: rounds }, (_, round) => makePair(round));
  for (const { tag, signed, unsigned } of pairs) {
    registry.put('app', unsigned, tag);
    registry.put('app', signed, tag);
    registry.put('app', signatureOf(signed.descriptor, { chain: acme }));
  }
  const unsignedBytes = new Set(pairs.map(({ unsigned }) => digestOf(unsigned.bytes)));
  const served: { reply: Reply; path: string }[] = [];
  const statuses = new Map<number, number>();
  let current = pairs[0]!;
  let count = 0;
  registry.setFault((request) => {
    if (!request.path.includes('/manifests/')) return undefined;
    const isOfPair = [
      current.tag,
      current.signed.descriptor.digest,
      current.unsigned.descriptor.digest,
    ].some((reference) => request.path.endsWith(`/${reference}`));
    return isOfPair ? lie(count++, current, request) : undefined;
  });
  const pull = async (reference: string, method: 'GET' | 'HEAD'): Promise<void> => {
    const path = `reg/app/manifests/${reference}`;
    const reply = await kit.ask(path, { method });
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    if (reply.status === 200) served.push({ reply, path: `${method} ${path}` });
  };
  for (const pair of pairs) {
    current = pair;
    const references = [
      pair.tag,
      pair.signed.descriptor.digest,
      pair.tag,
      pair.unsigned.descriptor.digest,
    ];
    for (let turn = 0; turn < turnsPerRound; turn += 1) {
      // The tag is asked for anew each time.
      clock.advanceMs(61_000);
      const pulls = references.flatMap((reference) => [
        pull(reference, 'GET'),
        pull(reference, 'HEAD'),
      ]);
      await Promise.all(pulls);
    }
  }
  const trusted = trustedDigests(kit);
  const wrong = served.filter(({ reply, path }) => {
    const digest = reply.headers.get('docker-content-digest') as never;
    if (unsignedBytes.has(digest) || !trusted.has(digest)) return true;
    if (path.startsWith('HEAD')) return reply.body.length > 0;
    return digestOf(reply.body) !== digest;
  });
  t.same(
    wrong.map(({ path }) => path),
    [],
  );
  t.equal(
    [...statuses.values()].reduce((sum, each) => sum + each),
    rounds * turnsPerRound * 8,
  );
  t.ok(served.length > 100, `${served.length} pulls of signed content came through`);
  t.ok((statuses.get(403) ?? 0) > 100, `${statuses.get(403)} pulls were denied`);
  t.ok((statuses.get(502) ?? 0) > 10, `${statuses.get(502)} lies were found out`);
  t.same(
    [...statuses.keys()].filter((status) => ![200, 403, 502].includes(status)),
    [],
  );
});
