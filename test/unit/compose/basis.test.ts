import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type LoadedBasis, openBasis, type Saw } from '../../../src/compose/basis.ts';
import { StartupError } from '../../../src/compose/startup-error.ts';
import { fingerprintOf } from '../../../src/compose/watch-files.ts';
import type { LogFields } from '../../../src/observe/log.ts';

/** A state of policy and trust material that only its name tells from another. */
function makeLoaded(name: string, ...problems: readonly string[]): LoadedBasis {
  return { policy: { digest: name }, trust: { name }, problems } as unknown as LoadedBasis;
}

type Load = (saw: Saw) => Promise<LoadedBasis>;

function makeDependencies(...loads: readonly Load[]) {
  const counted: unknown[] = [];
  const errors: LogFields[] = [];
  const warnings: LogFields[] = [];
  const inForce: string[] = [];
  const queue = [...loads];
  return {
    counted,
    errors,
    warnings,
    inForce,
    load: (saw: Saw) => {
      const next = queue.shift();
      if (next === undefined) throw new TypeError('loaded too often');
      return next(saw);
    },
    onLoaded: ({ policy }: LoadedBasis) => void inForce.push(policy.digest),
    metrics: { count: (...count: unknown[]) => void counted.push(count), time() {}, set() {} },
    log: {
      debug() {},
      info() {},
      warn: (fields: LogFields) => void warnings.push(fields),
      error: (fields: LogFields) => void errors.push(fields),
    },
  };
}

const good =
  (name: string, ...files: readonly string[]): Load =>
  async (saw) => {
    await Promise.all(files.map(saw));
    return makeLoaded(name);
  };
const bad =
  (code: 'POLICY_UNUSABLE' | 'TRUST_STORE_UNUSABLE', ...files: readonly string[]): Load =>
  async (saw) => {
    await Promise.all(files.map(saw));
    throw new StartupError(code, `${code} it is`);
  };

t.test('what does not load at first is an error', async (t) => {
  await t.rejects(openBasis(makeDependencies(bad('POLICY_UNUSABLE'))), { code: 'POLICY_UNUSABLE' });
});

t.test(
  'a first state with an empty trust store is an error, a later one comes into force',
  async (t) => {
    const lacking: Load = async () => makeLoaded('b', 'ca:acme holds no certificate');
    await t.rejects(openBasis(makeDependencies(lacking)), { code: 'TRUST_STORE_UNUSABLE' });
    const dependencies = makeDependencies(good('a'), lacking);
    const basis = await openBasis(dependencies);
    await basis.reload();
    t.equal(basis.current().policy.digest, 'b', 'the anchor that was taken away trusts no longer');
    t.match(dependencies.warnings, [{ because: 'ca:acme holds no certificate' }]);
  },
);

t.test('a reload replaces policy and trust material together, under a new number', async (t) => {
  const dependencies = makeDependencies(good('a'), good('b'));
  const basis = await openBasis(dependencies);
  const before = basis.current();
  await basis.reload();
  const after = basis.current();
  t.match(before, { policy: { digest: 'a' }, trust: { name: 'a' } });
  t.match(after, { policy: { digest: 'b' }, trust: { name: 'b' } });
  t.not(after.generation, before.generation);
  t.same(dependencies.inForce, ['a', 'b']);
});

for (const [code, what] of [
  ['POLICY_UNUSABLE', 'policy'],
  ['TRUST_STORE_UNUSABLE', 'trust'],
] as const) {
  t.test(`a ${what} that does not load leaves the last good state, and is told`, async (t) => {
    const dependencies = makeDependencies(good('a'), bad(code));
    const basis = await openBasis(dependencies);
    const before = basis.current();
    await basis.reload();
    t.equal(basis.current(), before);
    t.equal(basis.problem(), `${code} it is`);
    t.same(dependencies.counted, [['assay_reload_failures_total', { what }]]);
    t.match(dependencies.errors, [{ what, error: { code } }]);
    t.same(dependencies.inForce, ['a']);
  });
}

t.test('a problem is over with the next good state', async (t) => {
  const basis = await openBasis(makeDependencies(good('a'), bad('POLICY_UNUSABLE'), good('b')));
  await basis.reload();
  await basis.reload();
  t.equal(basis.problem(), undefined);
  t.match(basis.current(), { policy: { digest: 'b' } });
});

t.test('the files to watch are those of the last load, and after a failure of both', async (t) => {
  const basis = await openBasis(
    makeDependencies(good('a', 'p', 'x'), bad('POLICY_UNUSABLE', 'p', 'y'), good('b', 'p', 'y')),
  );
  const files = (): readonly string[] => [...basis.files().keys()].toSorted();
  t.same(files(), ['p', 'x']);
  await basis.reload();
  t.same(files(), ['p', 'x', 'y']);
  await basis.reload();
  t.same(files(), ['p', 'y']);
});

t.test('a file that changes while it is read is not taken for what was read', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  const changing: Load = async (saw) => {
    await saw(file);
    await appendFile(file, 'b');
    return makeLoaded('a');
  };
  const failing: Load = async (saw) => {
    await changing(saw);
    throw new StartupError('POLICY_UNUSABLE', 'broken');
  };
  for (const loads of [[changing], [good('a', file), changing], [good('a', file), failing]]) {
    const basis = await openBasis(makeDependencies(...loads));
    if (loads.length > 1) await basis.reload();
    t.not(basis.files().get(file), await fingerprintOf(file));
  }
});

t.test('what a failed load did not come to read does not ask for another', async (t) => {
  const folder = t.testdir({});
  const policy = join(folder, 'policy');
  const referred = join(folder, 'referred');
  const loads = [good('a', policy, referred), bad('POLICY_UNUSABLE', policy)];
  const basis = await openBasis(makeDependencies(...loads));
  await writeFile(referred, 'changed');
  await basis.reload();
  t.equal(basis.files().get(referred), await fingerprintOf(referred));
});

t.test('reloads asked for at once come one after the other, and the last one wins', async (t) => {
  const { promise, resolve } = Promise.withResolvers<LoadedBasis>();
  const basis = await openBasis(makeDependencies(good('a'), () => promise, good('c')));
  const slow = basis.reload();
  const quick = basis.reload();
  resolve(makeLoaded('b'));
  await Promise.all([slow, quick]);
  t.match(basis.current(), { policy: { digest: 'c' } });
});

t.test('what may not come into force leaves the last good one there', async (t) => {
  const dependencies = makeDependencies(good('first'), good('older'), good('newer'));
  const asked: string[] = [];
  const admit = async ({ policy }: LoadedBasis): Promise<void> => {
    asked.push(policy.digest);
    if (policy.digest === 'older') throw new StartupError('POLICY_UNUSABLE', 'it is older');
  };
  const basis = await openBasis({ ...dependencies, admit });
  await basis.reload();
  t.equal(basis.current().policy.digest, 'first');
  t.equal(basis.problem(), 'it is older');
  t.same(dependencies.counted, [['assay_reload_failures_total', { what: 'policy' }]]);
  await basis.reload();
  t.equal(basis.problem(), undefined);
  t.same(dependencies.inForce, ['first', 'newer']);
  t.same(asked, ['older', 'newer']);
});
