import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadSigstoreRoot } from '../../../../src/trust/sigstore/load-root.ts';
import { tufRepository } from '../../../../src/trust/sigstore/root-source.ts';
import { updateTufState } from '../../../../src/trust/sigstore/tuf-update.ts';
import { makeFakeClock } from '../../../support/fake-clock.ts';
import { logEntry, trustedRootJson } from '../../../support/trusted-root.ts';
import {
  type BuiltTuf,
  buildTuf,
  serveTuf,
  type TufPlan,
} from '../../../support/tuf-repository.ts';

const url = 'https://tuf.example.test/sigstore';
const oldRoot = trustedRootJson();
const newRoot = trustedRootJson({ tlogs: [logEntry('rekor2')] });
const plan = (overrides: TufPlan = {}): TufPlan => ({
  targets: { 'trusted_root.json': oldRoot },
  ...overrides,
});
/** Everything one version on, with another trusted root. */
const next: TufPlan = {
  timestampVersion: 2,
  snapshotVersion: 2,
  targetsVersion: 2,
  targets: { 'trusted_root.json': newRoot },
};

/** A repository as first served, and a client of it that has not asked yet. */
function makeKit(t: Test, first: TufPlan = plan()) {
  const folder = join(t.testdir(), 'tuf');
  const clock = makeFakeClock();
  const server = serveTuf(url);
  const built = buildTuf(first);
  server.serve(built);
  const repository = tufRepository(url, built.rootJson, join(folder, 'acme.json'));
  const signal = new AbortController().signal;
  return {
    folder,
    clock,
    server,
    built,
    repository,
    update: () => updateTufState(repository, { fetch: server.fetch, clock }, signal),
    load: () => loadSigstoreRoot(repository, { mode: 'refreshed' }),
  };
}

t.test('a repository is followed from its root to the trusted root', async (t) => {
  const { update, load, clock, folder } = makeKit(t);
  await update();
  const loaded = await load();
  t.strictSame(loaded?.kind, 'tuf');
  t.strictSame(loaded?.asOf, clock.now());
  t.strictSame(loaded?.root.logs[0]?.name, 'rekor.example.test');
  t.same(readdirSync(folder), ['acme.json'], 'nothing else is left');
});

t.test('before the first update there is no root, and no file', async (t) => {
  const { load } = makeKit(t);
  t.strictSame(await load(), undefined);
});

t.test('trust ends with the first role that ends', async (t) => {
  const expires = { timestamp: '2030-01-08T00:00:00Z', targets: '2030-06-01T00:00:00Z' };
  const { update, load, repository } = makeKit(t, plan({ expires }));
  await update();
  t.strictSame((await load())?.expiresAt, new Date(expires.timestamp));
  const offline = await loadSigstoreRoot(repository, { mode: 'offline' });
  t.strictSame(offline?.expiresAt, new Date(expires.targets), 'offline nothing can be fresh');
});

t.test('an update brings what is new and fetches nothing twice', async (t) => {
  const { update, load, server } = makeKit(t);
  await update();
  const firstAsked = server.asked.splice(0);
  t.ok(firstAsked.some((from) => from.includes('trusted_root.json')));
  await update();
  t.same(server.asked, [`${url}/2.root.json`, `${url}/timestamp.json`]);
  server.serve(buildTuf(plan(next)));
  await update();
  t.strictSame((await load())?.root.logs[0]?.name, 'rekor2.example.test');
});

t.test('a new root counts that the old keys and its own have signed', async (t) => {
  const { update, load, server, built } = makeKit(t);
  await update();
  const rotated = { rootVersion: 2, keys: { root: ['root2'] } };
  server.serve(
    built,
    buildTuf(plan({ ...next, ...rotated, signers: { root: ['root', 'root2'] } })),
  );
  await update();
  t.strictSame((await load())?.root.logs[0]?.name, 'rekor2.example.test');
});

interface Attack {
  readonly plan: TufPlan;
  readonly why: RegExp;
  /** The files of the good repository are there too. */
  readonly beside?: true;
}

const attacks: Readonly<Record<string, Attack>> = {
  'an older timestamp': { plan: plan({ timestampVersion: 1 }), why: /version 1 is less than/ },
  'an older snapshot': {
    plan: plan({ timestampVersion: 6, snapshotVersion: 4 }),
    why: /snapshot version 4 is less than/,
  },
  'older targets': {
    plan: plan({ timestampVersion: 6, snapshotVersion: 6, targetsVersion: 4 }),
    why: /less than/,
  },
  'a timestamp that has ended': {
    plan: plan({ ...versions(6), expires: { timestamp: '2029-12-31T00:00:00Z' } }),
    why: /timestamp.json is expired/,
  },
  'a snapshot that has ended': {
    plan: plan({
      ...versions(6),
      expires: { snapshot: '2029-12-31T00:00:00Z' },
    }),
    why: /snapshot.json is expired/,
  },
  'targets that have ended': {
    plan: plan({
      ...versions(6),
      expires: { targets: '2029-12-31T00:00:00Z' },
    }),
    why: /targets.json is expired/,
  },
  'a root that has ended': {
    plan: plan({ rootVersion: 2, timestampVersion: 6, expires: { root: '2029-12-31T00:00:00Z' } }),
    why: /root.json is expired/,
  },
  'a timestamp by a stranger': {
    plan: plan({ timestampVersion: 6, signers: { timestamp: ['stranger'] } }),
    why: /timestamp was signed by 0\/1 keys/,
  },
  'targets by a stranger': {
    plan: plan({
      ...versions(6),
      signers: { targets: ['stranger'] },
    }),
    why: /targets was signed by 0\/1 keys/,
  },
  'a new root that the old keys have not signed': {
    plan: plan({ rootVersion: 2, keys: { root: ['root2'] } }),
    why: /root was signed by 0\/1 keys/,
  },
  'a new root that its own keys have not signed': {
    plan: plan({ rootVersion: 2, keys: { root: ['root2'] }, signers: { root: ['root'] } }),
    why: /root was signed by 0\/1 keys/,
  },
  // GHSA-fphv-w9fq-2525.
  'a new root with threshold 0 for targets': {
    plan: plan({ rootVersion: 2, threshold: { targets: 0 } }),
    why: /threshold must be at least 1/,
  },
  'fewer signatures than the threshold': {
    plan: plan({
      rootVersion: 2,
      timestampVersion: 6,
      keys: { timestamp: ['timestamp', 'timestamp2'] },
      threshold: { timestamp: 2 },
      signers: { timestamp: ['timestamp', 'timestamp'] },
    }),
    why: /multiple signatures|signed by 1\/2 keys/,
  },
  'another target than the targets say': {
    plan: plan({
      ...versions(6),
      targets: { 'trusted_root.json': newRoot },
      served: { 'trusted_root.json': oldRoot },
    }),
    why: /Expected (?:hash|length)|length|hash/,
  },
  'a target of endless length': {
    plan: plan({
      ...versions(6),
      targets: { 'trusted_root.json': newRoot },
      served: { 'trusted_root.json': Buffer.alloc(newRoot.length + 1) },
    }),
    why: /too large/,
  },
  'a target that is no trusted root': {
    plan: plan({ ...versions(6), targets: { 'trusted_root.json': Buffer.from('{}') } }),
    why: /not a trusted root: mediaType is missing/,
  },
  'no trusted root among the targets': {
    plan: plan({ ...versions(6), targets: { 'other.json': newRoot } }),
    why: /has no target trusted_root.json/,
  },
  'a delegation to a role called root': {
    plan: plan({ ...versions(6), targets: {}, delegations: ['root'] }),
    why: /delegat/i,
  },
};

function versions(version: number): TufPlan {
  return { timestampVersion: version, snapshotVersion: version, targetsVersion: version };
}

for (const [what, { plan: attack, why }] of Object.entries(attacks)) {
  t.test(`${what} is refused, and the last good root stays`, async (t) => {
    const { update, load, server, folder } = makeKit(t, plan(versions(5)));
    await update();
    const before = readFileSync(join(folder, 'acme.json'));
    const good = await load();
    server.serve(buildTuf(attack));
    await t.rejects(update(), { name: 'TrustError', message: why });
    t.ok(readFileSync(join(folder, 'acme.json')).equals(before), 'its state is as it was');
    t.same(await load(), good);
    t.same(readdirSync(folder), ['acme.json'], 'nothing else is left');
  });
}

// GHSA-fcv2-xgw5-pqxf.
t.test('targets whose names lead out of the folder are never written anywhere', async (t) => {
  const names = ['../../evil.json', '/evil.json', 'a/../../evil.json', '..%2fevil.json'];
  const evil = Object.fromEntries(names.map((name) => [name, Buffer.from('evil')]));
  const targets = { ...evil, 'trusted_root.json': oldRoot };
  const { update, load, folder, server } = makeKit(t, plan({ targets }));
  await update();
  t.strictSame((await load())?.kind, 'tuf');
  t.same(
    server.asked.filter((from) => from.includes('evil')),
    [],
  );
  t.same(readdirSync(folder), ['acme.json']);
  t.same(readdirSync(join(folder, '..')), ['tuf']);
});

t.test('a first root.json that nobody signed is refused', async (t) => {
  const { update } = makeKit(t, plan({ signers: { root: ['stranger'] } }));
  await t.rejects(update(), { code: 'SIGSTORE_ROOT_UNAVAILABLE', message: /root was signed by 0/ });
});

t.test('a repository that fails keeps the last good root', async (t) => {
  const { update, load, server, clock, repository } = makeKit(t);
  await update();
  const fetch = async (): Promise<never> => {
    throw new Error('connection refused');
  };
  const { signal } = new AbortController();
  await t.rejects(updateTufState(repository, { fetch, clock }, signal), {
    code: 'SIGSTORE_ROOT_UNAVAILABLE',
    message: 'https://tuf.example.test/sigstore gives no trusted root: connection refused',
  });
  t.strictSame((await load())?.kind, 'tuf');
  t.ok(server.asked.length > 0);
});

t.test('an update that is aborted ends at once and leaves nothing', async (t) => {
  const { clock, repository, folder } = makeKit(t);
  const abort = new AbortController();
  const fetch = async (): Promise<never> => {
    abort.abort(new Error('enough'));
    return await new Promise<never>(() => undefined);
  };
  await t.rejects(updateTufState(repository, { fetch, clock }, abort.signal), {
    message: 'enough',
  });
  t.same(readdirSync(folder), []);
});

t.test('a damaged state is as none, and is made anew', async (t) => {
  const { update, load, repository } = makeKit(t);
  await update();
  writeFileSync(repository.stateFile, '{"url":');
  t.strictSame(await load(), undefined);
  await update();
  t.strictSame((await load())?.kind, 'tuf');
});

t.test('another root.json to begin with begins anew, and does not fall behind', async (t) => {
  const { update, repository, server, clock } = makeKit(t, plan(versions(5)));
  await update();
  const replant = (built: BuiltTuf) => {
    server.serve(built);
    const other = tufRepository(url, built.rootJson, repository.stateFile);
    const { signal } = new AbortController();
    return {
      other,
      update: () => updateTufState(other, { fetch: server.fetch, clock }, signal),
    };
  };
  const older = replant(buildTuf(plan({ rootVersion: 3, ...versions(4) })));
  await t.rejects(older.update(), { message: /less than/ }, 'its timestamp key is the same');
  const strange = replant(
    buildTuf(
      plan({
        rootVersion: 3,
        keys: { timestamp: ['other'], snapshot: ['other'], targets: ['other'] },
      }),
    ),
  );
  t.strictSame(await loadSigstoreRoot(strange.other, { mode: 'refreshed' }), undefined);
  await strange.update();
  t.strictSame((await loadSigstoreRoot(strange.other, { mode: 'refreshed' }))?.kind, 'tuf');
});
