import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FullBundle, type FullBundleWish, writeFullBundle } from '../support/bundle-kit.ts';
import { rootsOf } from '../support/metadata-kit.ts';
import { buildCrl } from '../support/test-crl.ts';
import { makeChain } from '../support/test-ca.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

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
