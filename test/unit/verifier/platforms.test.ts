import t from 'tap';
import { readManifest } from '../../../src/oci/manifest.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { type PlatformsDecision, verifyPlatforms } from '../../../src/verifier/platforms.ts';
import type { Subject, VerifierDependencies } from '../../../src/verifier/verifier.ts';
import { type Artifact, buildImage, buildIndex } from '../../support/build-image.ts';
import { app, never } from '../../support/gate-kit.ts';
import { makeMemorySource, type MemorySource } from '../../support/memory-source.ts';

const index = buildIndex({ attestation: 'with' });
const [amd64, arm64] = index.children as [Artifact, Artifact];
const [first, second] = [amd64.descriptor.digest, arm64.descriptor.digest];

const subjectOf = ({ descriptor, bytes }: Artifact): Subject => ({
  repository: app,
  descriptor,
  manifest: readManifest(bytes, descriptor.mediaType),
});

interface Setup {
  readonly of?: Artifact;
  readonly kinds?: Readonly<Record<string, Verdict['kind']>>;
  readonly maxPlatforms?: number;
  readonly alter?: (source: MemorySource) => void;
}

/** Of the children named, a verdict of that kind; of the others, that they are trusted. */
async function decided(setup: Setup = {}): Promise<PlatformsDecision | undefined> {
  const { of = index, kinds = {}, maxPlatforms = 2, alter } = setup;
  const source = makeMemorySource();
  source.put(index);
  source.put(of);
  alter?.(source);
  const dependencies = {
    source: () => source,
    limits: { maxPlatforms },
  } as unknown as VerifierDependencies;
  return verifyPlatforms(subjectOf(of), dependencies, never(), async ({ descriptor }) => {
    const kind = kinds[descriptor.digest] ?? 'trusted';
    const found = { kind, subject: descriptor.digest, reason: `reason of ${kind}` };
    return { ...found, because: `it is ${kind}` } as unknown as Verdict;
  });
}

t.test('as many platforms as may be are verified, each and no attestation', async (t) => {
  const result = await decided();
  t.strictSame(result?.decision, {
    kind: 'trusted',
    reason: undefined,
    because: 'each of its 2 platform children is trusted',
  });
  t.strictSame(
    result?.verdicts.map(({ subject }) => subject),
    [first, second],
  );
});

t.test('of one platform more than may be none is verified', async (t) => {
  t.strictSame(await decided({ maxPlatforms: 1 }), {
    decision: {
      kind: 'untrusted',
      reason: 'limit-exceeded',
      because: 'the index has more than 1 platform children',
    },
    verdicts: [],
  });
});

t.test('an image has no platforms, and neither has an index of nothing', async (t) => {
  t.equal(await decided({ of: amd64 }), undefined);
  t.equal(await decided({ of: buildIndex({ name: 'none', children: [] }) }), undefined);
});

t.test('one child that nothing could be found out of keeps the index back', async (t) => {
  for (const digest of [first, second]) {
    const { decision } = (await decided({ kinds: { [digest]: 'inconclusive' } }))!;
    t.strictSame(decision, {
      kind: 'inconclusive',
      reason: 'reason of inconclusive',
      because: `platform child ${digest}: it is inconclusive`,
    });
  }
});

t.test('an untrusted child weighs more than one that is inconclusive', async (t) => {
  const result = await decided({ kinds: { [first]: 'inconclusive', [second]: 'untrusted' } });
  t.match(result?.decision, {
    kind: 'untrusted',
    reason: 'reason of untrusted',
    because: `platform child ${second}: it is untrusted`,
  });
});

t.test('a child that is not there is untrusted; one that nobody can fetch, open', async (t) => {
  const absent = await decided({ alter: (source) => source.remove(second) });
  t.strictSame(absent?.decision, {
    kind: 'untrusted',
    reason: 'not-enough-signers',
    because: `platform child ${second} does not exist upstream`,
  });
  t.match(absent?.verdicts, [{ subject: first }]);
  const away = new Error('connect refused');
  const unread = await decided({ alter: (source) => source.fail('fetchManifest', away) });
  t.strictSame(unread?.decision, {
    kind: 'inconclusive',
    reason: 'upstream-unavailable',
    because: `platform child ${first}: connect refused`,
  });
});

t.test('a child whose size is not what the index says is malformed', async (t) => {
  const longer = Buffer.concat([amd64.bytes, Buffer.from('\n')]);
  const result = await decided({ alter: (source) => source.corrupt(first, longer) });
  t.strictSame(result?.decision, {
    kind: 'untrusted',
    reason: 'malformed-manifest',
    because: `platform child ${first}: the index says another size of it`,
  });
});

t.test('the children of a child that is an index are not followed', async (t) => {
  const nested = buildIndex({ name: 'nested', children: [buildImage({ name: 'inner' })] });
  const result = await decided({ of: buildIndex({ name: 'outer', children: [nested] }) });
  t.match(result?.decision, { kind: 'untrusted', reason: 'not-enough-signers' });
  t.match(result?.decision.because, `${nested.descriptor.digest} is an index itself`);
  t.strictSame(result?.verdicts, []);
});
