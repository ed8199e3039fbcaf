import type { Test } from 'tap';
import { notationCose } from '../../src/formats/notation-cose.ts';
import { notationJws } from '../../src/formats/notation-jws.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { buildImage } from './build-image.ts';
import { makeCase, type Mutation, type Mutations } from './notation-case.ts';
import { runSteps, type StepsRun } from './run-steps.ts';
import { type NotationFormat, notationSignature } from './sign-notation.ts';
import { makeChain } from './test-ca.ts';

const { descriptor } = buildImage();
const formats = { jws: notationJws, cose: notationCose } as const;

/** Signs an image with the one thing that is wrong, and runs every check. */
export async function runMutation(
  format: NotationFormat,
  mutation: Omit<Mutation, 'at' | 'because'>,
): Promise<StepsRun> {
  const { sign, stores, requirement, now } = mutation;
  const chain = makeChain(mutation.chain);
  const overrides = typeof sign === 'function' ? sign(chain) : sign;
  const { envelope } = notationSignature({ of: descriptor, format, chain, ...overrides });
  const options = {
    of: { ...descriptor, ...mutation.subject } as typeof descriptor & { digest: Digest },
    chain,
    ...(requirement !== undefined && { requirement }),
    ...(stores !== undefined && { stores: stores(chain) }),
    ...(now !== undefined && { now }),
  };
  const examined = makeCase(options);
  return runSteps(
    formats[format].examine(
      { bytes: envelope, annotations: {} },
      examined.subject,
      examined.requirement,
      examined.context,
    ),
  );
}

/**
 * Each mutation fails the check that it says, by the reason that it says; every check before it
 * passed or was only logged, none after it ran, and no signer is proven before trust is.
 */
export function assertMutations(t: Test, format: NotationFormat, mutations: Mutations): void {
  const ids = formats[format].checks.map(({ id }) => id);
  for (const [what, mutation] of Object.entries(mutations)) {
    const { at, because, reason = 'signature-invalid', outcome = 'failed' } = mutation;
    t.test(`${format}: ${what} fails ${at}`, async (t) => {
      const { stoppedBy, findings, outcomes, proven } = await runMutation(format, mutation);
      t.equal(stoppedBy, at);
      t.match(findings[at], { outcome, reason, because });
      const place = ids.indexOf(at);
      const before = ids.slice(0, place).map((id) => outcomes[id]);
      t.strictSame(
        before,
        before.map(() => 'passed'),
        'earlier checks passed',
      );
      const after = ids.slice(place + 1).map((id) => outcomes[id]);
      t.strictSame(
        after,
        after.map(() => 'not-run'),
        'later checks did not run',
      );
      t.equal(proven.signer !== undefined, place > ids.indexOf('trusted-store'), 'signer');
    });
  }
}
