import * as fc from 'fast-check';
import t from 'tap';
import { DeniedError } from '../../../src/gate/gate-error.ts';
import type { TrustedManifest } from '../../../src/gate/trusted-content.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { Reason } from '../../../src/verdict/reason.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage } from '../../support/build-image.ts';
import { app, by, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { holds } from '../../support/holds.ts';
import { toySignature } from '../../support/toy-format.ts';

const hourMs = 3_600_000;
const maxAgeMs = 30 * 24 * hourMs;
const start = Date.parse('2030-01-01T00:00:00Z');
const images = Array.from({ length: 5 }, (_, index) => buildImage({ name: `image ${index}` }));
const digests = images.map(({ descriptor }) => descriptor.digest);

/** Hours before the start, from and to; undefined: nobody says when it was signed. */
type Made = readonly [number, number] | undefined;

interface Policy {
  readonly rollback: 'deny' | 'warn' | 'allow';
  readonly hasAge: boolean;
  /** The image with this number may be rolled back to for so many hours. */
  readonly allowed: { readonly image: number; readonly hours: number } | undefined;
}

type Step =
  | { readonly do: 'move'; readonly to: number }
  | { readonly do: 'wait'; readonly hours: number }
  | { readonly do: 'restart' | 'fail' };

const madeAtSomeTime = fc
  .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 100 }))
  .map(([end, length]): Made => [end + length, end]);
const policies: fc.Arbitrary<Policy> = fc.record({
  rollback: fc.constantFrom('deny', 'deny', 'warn', 'allow'),
  hasAge: fc.boolean(),
  allowed: fc.option(
    fc.record({ image: fc.nat(images.length - 1), hours: fc.integer({ min: 1, max: 800 }) }),
    { nil: undefined },
  ),
});
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('move'), to: fc.nat(images.length - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait'), hours: fc.integer({ min: 1, max: 400 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'fail') }) },
);

function rulesOf({ rollback, hasAge, allowed }: Policy): string {
  const until = allowed && new Date(start + allowed.hours * hourMs).toISOString();
  const entry = `{ digest: "${digests[allowed?.image ?? 0]}", reason: r, owner: o, until: ${until} }`;
  const tags = [
    `rollback: ${rollback}`,
    ...(hasAge ? ['maxSignatureAge: 30d'] : []),
    ...(allowed !== undefined && rollback !== 'allow' ? [`allowedRollbacks: [${entry}]`] : []),
  ];
  return `
  - repositories: ["reg/**"]
    require: { signedBy: alice }
    tags: { ${tags.join(', ')} }`;
}

/** What the rule says, word by word, of images in the order in which they were first served. */
function makeModel({ rollback, hasAge, allowed }: Policy, made: readonly Made[]) {
  const served: number[] = [];
  const isNewer = (one: number, than: number): boolean => {
    const [a, b] = [made[one], made[than]];
    if (a !== undefined && b !== undefined) return a[0] < b[1];
    return served.includes(than) && served.indexOf(one) > served.indexOf(than);
  };
  return {
    /** Why the image may not be served under the tag, or what is to be said of it. */
    ask(image: number, nowMs: number): Reason | 'plain' | 'with a warning' {
      const time = made[image];
      if (hasAge && time === undefined) return 'signing-time-unproven';
      if (hasAge && time && nowMs - (start - time[0] * hourMs) >= maxAgeMs)
        return 'signature-too-old';
      if (rollback === 'allow') return 'plain';
      if (!served.some((other) => other !== image && isNewer(other, image))) return 'plain';
      const isAllowed = allowed?.image === image && nowMs < start + allowed.hours * hourMs;
      return isAllowed || rollback === 'warn' ? 'with a warning' : 'rolled-back';
    },
    serve(image: number): void {
      if (!served.includes(image)) served.push(image);
    },
  };
}

async function ask(kit: GateKit, reference: string): Promise<TrustedManifest | Error> {
  const known = kit.gate.manifestAtHand(app, by(reference));
  return (
    known ?? kit.gate.admitManifest(app, by(reference), never()).catch((error: Error) => error)
  );
}

function outcomeOf(answer: TrustedManifest | Error): string {
  if (answer instanceof DeniedError) return answer.reason;
  if (answer instanceof Error) return answer.message;
  return answer.admission.warnings.length === 0 ? 'plain' : 'with a warning';
}

function sign({ source }: GateKit, made: readonly Made[]): void {
  for (const [index, { descriptor }] of images.entries()) {
    const times = made[index]?.map((hours) => new Date(start - hours * hourMs).toISOString());
    const time = times && { made: times as unknown as [string, string] };
    source.put(toySignature(descriptor, { by: 'alice', ...time }));
  }
}

t.test(
  'whatever a tag does, what is served is what the rule says, and no more is denied',
  async (t) => {
    const property = fc.asyncProperty(
      policies,
      fc.array(fc.option(madeAtSomeTime, { nil: undefined, freq: 3 }), {
        minLength: images.length,
        maxLength: images.length,
      }),
      fc.array(steps, { minLength: 1, maxLength: 14 }),
      async (policy, made, sequence) => {
        const first = await makeGateKit(rulesOf(policy));
        const replicas = [first, await first.restarted()];
        const { source, clock } = first;
        sign(first, made);
        const model = makeModel(policy, made);
        let target = 0;
        for (const [index, step] of [{ do: 'move', to: 0 } as const, ...sequence].entries()) {
          clock.advanceMs(60_000);
          if (step.do === 'move') target = step.to;
          if (step.do === 'wait') clock.advanceMs(step.hours * hourMs);
          if (step.do === 'restart') replicas[index % 2] = await first.restarted();
          const isDown = step.do === 'fail';
          source.fail(
            'resolveTag',
            isDown ? new UpstreamError('UPSTREAM_FAILED', 'down') : undefined,
          );
          source.put(images[target]!, 'v1');
          const nowMs = clock.now().getTime();
          const kit = replicas[index % 2]!;
          for (const answer of [await ask(kit, 'v1'), await ask(kit, 'v1')]) {
            if (isDown) {
              assertSafe(answer, (image) => model.ask(image, nowMs));
              continue;
            }
            const expected = model.ask(target, nowMs);
            if (outcomeOf(answer) !== expected) {
              throw new Error(`${step.do} ${index}: ${outcomeOf(answer)} in place of ${expected}`);
            }
            if (!(answer instanceof Error)) model.serve(target);
          }
          const byDigest = await ask(kit, digests[target]!);
          if (byDigest instanceof Error) throw byDigest;
          if (byDigest.admission.warnings.length > 0)
            throw new Error('a pull by digest is not bound');
        }
      },
    );
    await holds(t, 'tags as the rule has them', property);
  },
);

/** While upstream is away: nothing, or something that the rule lets pass. */
function assertSafe(answer: TrustedManifest | Error, judge: (image: number) => string): void {
  if (answer instanceof Error) return;
  const digest: Digest = answer.descriptor.digest;
  const verdict = judge(digests.indexOf(digest));
  if (verdict !== 'plain' && verdict !== 'with a warning') throw new Error(`served: ${verdict}`);
}
