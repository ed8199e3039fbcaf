import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { AirgapError } from '../../src/airgap/airgap-error.ts';
import { makeSnapshot, makeTimestamp, signMetadata } from '../../src/airgap/metadata-signing.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FullBundle, type FullBundleWish, writeFullBundle } from '../support/bundle-kit.ts';
import { putMetadata, rootsOf, signerOf } from '../support/metadata-kit.ts';
import { buildCrl } from '../support/test-crl.ts';
import { makeChain } from '../support/test-ca.ts';
import { flip, makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [90_000, 5_000] });
const images = [
  {
    name: 'docker.io/library/app:1.0',
    artifact: app,
    evidence: [signatureOf(app.descriptor)],
  },
];
const { root: issuer } = makeChain();
const policy = { kind: 'policy', bytes: Buffer.from('version: 1') } as const;
const list = (bytes: Uint8Array) => ({ kind: 'revocation' as const, bytes });

interface Stream {
  readonly zone: ZoneKit;
  /** The next bundle, with everything in it unless told. */
  next(wish?: Partial<FullBundleWish>): Promise<FullBundle>;
}

function makeStream(t: Test): Stream {
  const zone = makeZone(t);
  let last: FullBundle | undefined;
  return {
    zone,
    async next(wish = {}) {
      const sequence = (last?.sequence ?? 0) + 1;
      last = await writeFullBundle({
        folder: join(zone.folder, String(sequence)),
        sequence,
        ...(last && { previous: last.asPrevious }),
        images,
        ...wish,
      });
      return last;
    },
  };
}

const publishedOf = ({ store }: ZoneKit) =>
  JSON.parse(readFileSync(join(store, 'published.json'), 'utf8')) as Record<string, string>;

t.test('revocation data that can not be read come into force by no kind of bundle', async (t) => {
  const { zone, next } = makeStream(t);
  await zone.import(await next());
  const before = zone.published();
  const emergency = await next({
    kind: 'revocation',
    images: [],
    trust: { 'revocation/x.crl': list(Buffer.from('no list')) },
  });
  await t.rejects(zone.import(emergency), { code: 'TRUST_FILE_MALFORMED', message: /x\.crl/ });
  t.equal(zone.published(), before);
  t.equal((await (await zone.serve()).ask('docker.io/library/app/manifests/1.0')).status, 200);
});

t.test('an emergency takes no trust files away but those it has anew', async (t) => {
  const { zone, next } = makeStream(t);
  const older = list(buildCrl({ issuer, number: 1 }));
  const newer = list(buildCrl({ issuer, number: 2 }));
  const current = (name: string) => join(zone.store, 'trust', 'current', name);
  await zone.import(await next({ trust: { 'policy.yaml': policy, 'revocation/a.crl': older } }));
  await zone.import(await next({ kind: 'revocation', images: [] }));
  t.strictSame(readFileSync(current('policy.yaml')), policy.bytes);
  t.strictSame(readFileSync(current('revocation/a.crl')), older.bytes, 'nothing newer came');
  await zone.import(
    await next({ kind: 'revocation', images: [], trust: { 'revocation/b.crl': newer } }),
  );
  t.strictSame(readFileSync(current('policy.yaml')), policy.bytes);
  t.strictSame(readFileSync(current('revocation/b.crl')), newer.bytes);
  t.notOk(existsSync(current('revocation/a.crl')), 'all that is known came anew');
});

t.test(
  'knowledge of revocations is as old as it says itself, whatever the bundle says',
  async (t) => {
    const { zone, next } = makeStream(t);
    const made = '2029-11-01T00:00:00Z';
    const crl = list(buildCrl({ issuer, thisUpdate: made }));
    await zone.import(
      await next({ trust: { 'revocation/a.crl': crl }, revocationAsOf: '2029-12-31T00:00:00Z' }),
    );
    t.equal(publishedOf(zone)['revocationAsOf'], new Date(made).toISOString());
    await zone.import(await next({ kind: 'revocation', images: [] }));
    t.equal(
      publishedOf(zone)['revocationAsOf'],
      new Date(made).toISOString(),
      'nothing newer came',
    );
    await zone.import(await next({ revocationAsOf: '2099-01-01T00:00:00Z' }));
    t.equal(publishedOf(zone)['revocationAsOf'], '2030-01-01T00:00:00.000Z', 'that it was made');
  },
);

t.test('a bundle from the future is refused, and carries the time nowhere', async (t) => {
  const { zone, next } = makeStream(t);
  await zone.import(await next());
  const before = zone.published();
  for (const kind of ['content', 'revocation'] as const) {
    const ahead = await writeFullBundle({
      folder: join(zone.folder, `ahead ${kind}`),
      sequence: 2,
      kind,
      images: kind === 'content' ? images : [],
      created: '2099-01-01T00:00:00Z',
      expires: {
        targets: '2100-01-01T00:00:00Z',
        snapshot: '2100-01-01T00:00:00Z',
        timestamp: '2100-01-01T00:00:00Z',
      },
    });
    await t.rejects(zone.import(ahead), { code: 'CLOCK_BEHIND', message: /2099-01-01/ });
  }
  t.equal(zone.published(), before);
  t.match(await zone.import(await next({ created: '2030-01-02T20:00:00Z' })), {
    outcome: 'published',
  });
});

t.test(
  'keys that a root has taken back are gone at once, whatever becomes of its bundle',
  async (t) => {
    const { zone, next } = makeStream(t);
    await zone.import(await next({ sequence: 900 }));
    const rotated = ['targets', 'snapshot', 'timestamp'] as const;
    const keys = Object.fromEntries(rotated.map((role) => [role, [`${role} 2`]]));
    const rescue = await writeFullBundle({
      folder: join(zone.folder, 'rescue'),
      sequence: 12,
      images,
      roots: await rootsOf({}, { keys }),
      signers: keys,
    });
    const large = buildImage({ name: 'large', layerSizes: [20_000] });
    const withMore = await writeFullBundle({
      folder: join(zone.folder, 'more'),
      sequence: 13,
      images: [
        {
          name: 'docker.io/library/large:1.0',
          artifact: large,
          evidence: [signatureOf(large.descriptor)],
        },
      ],
      roots: await rootsOf({}, { keys }),
      signers: keys,
    });
    renameSync(join(withMore.folder, 'volumes'), join(zone.folder, 'more shelf'));
    await t.rejects(zone.import(withMore), { code: 'VOLUME_MISSING' });
    const ofThief = await next({ kind: 'revocation', images: [], sequence: 901 });
    await t.rejects(zone.import(ofThief), { code: 'METADATA_SIGNATURE' });
    renameSync(join(zone.folder, 'more shelf'), join(withMore.folder, 'volumes'));
    t.match(await zone.import(withMore), { outcome: 'published', sequence: 13 });
    t.match(await zone.import(withMore), { outcome: 'held', sequence: 13 });
    await t.rejects(zone.import(rescue), { code: 'METADATA_ROLLBACK' }, 'numbers count again');
  },
);

t.test('one bit that is other, wherever it is, has a name, and spoils nothing', async (t) => {
  const { zone, next } = makeStream(t);
  const trust = { 'policy.yaml': policy, 'revocation/a.crl': list(buildCrl({ issuer })) };
  // A volume's header is in a chunk with something then.
  const bundle = await next({ trust, chunkBytes: 8192 });
  const before = zone.published();
  const found = readdirSync(bundle.folder, { recursive: true, withFileTypes: true });
  const all = found
    .filter((entry) => entry.isFile())
    .map((each) => join(each.parentPath, each.name));
  // The root that counts is the pinned one: this copy says only whose the bundle is.
  const files = all.filter((file) => !file.endsWith('1.root.json'));
  t.equal(files.length, 3 + 5 + bundle.volumes.length);
  for (const file of files) {
    const { size } = statSync(file);
    for (const at of new Set([0, Math.floor(size / 2), size - 1])) {
      // What was read before would do for what is damaged now.
      rmSync(zone.store, { recursive: true, force: true });
      flip(file, at);
      const what = `byte ${at} of ${relative(bundle.folder, file)}`;
      const code = await zone.import(bundle).then(
        ({ outcome }) => outcome,
        (error: unknown) => (error instanceof AirgapError ? error.code : error),
      );
      const named = file.includes('/volumes/') ? /^(?:CHUNK_CORRUPT|VOLUME_FOREIGN)$/ : undefined;
      t.match(
        code,
        named ?? /^(?:METADATA_(?:MALFORMED|SIGNATURE|MISMATCH)|TARGET_MISMATCH)$/,
        what,
      );
      t.equal(zone.published(), before, 'nothing was published');
      flip(file, at);
    }
  }
  t.match(await zone.import(bundle), { outcome: 'published' });
});

t.test(
  'who has the keys of snapshot and timestamp alone gets no further than one bundle',
  async (t) => {
    const { zone, next } = makeStream(t);
    await zone.import(await next());
    const genuine = await next();
    const stolen = [signerOf('snapshot'), signerOf('timestamp')] as const;
    const { signal } = new AbortController();
    const targets = readFileSync(join(genuine.folder, 'metadata', '2.targets.json'));
    const forge = async (version: number, timestampVersion = version) => {
      const of = { version, expires: new Date('2030-12-01T00:00:00Z') };
      // The role above names the version of the one below.
      const snapshot = await signMetadata(makeSnapshot(of, targets), [stolen[0]], signal);
      const above = makeTimestamp({ ...of, version: timestampVersion }, snapshot);
      putMetadata(genuine.folder, `${version}.snapshot.json`, snapshot);
      putMetadata(genuine.folder, 'timestamp.json', await signMetadata(above, [stolen[1]], signal));
      putMetadata(genuine.folder, `${version}.targets.json`, targets);
    };
    await forge(1_000_000);
    await t.rejects(zone.import(genuine), { code: 'METADATA_MISMATCH' });
    await forge(2);
    t.match(await zone.import(genuine), { outcome: 'published' }, 'it is what the exporter made');
    await t.rejects(zone.import(await next()), { code: 'FORK' }, 'and found out at the next one');
  },
);
