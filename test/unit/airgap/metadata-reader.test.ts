import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { verifyMetadata } from '../../../src/airgap/metadata-reader.ts';
import { makeSnapshot, makeTimestamp, signMetadata } from '../../../src/airgap/metadata-signing.ts';
import type { TrustedMetadata } from '../../../src/airgap/metadata-state.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { stream } from '../../support/airgap-kit.ts';
import { putMetadata, rootsOf, signerOf, writeBundle } from '../../support/metadata-kit.ts';
import { toTufKey } from '../../../src/airgap/metadata-keys.ts';

const now = new Date('2030-01-01T00:00:00Z');
const roots = await rootsOf({});
const pinned: TrustedMetadata = { root: roots[0], seen: undefined };
const verify = (folder: string, trusted = pinned, at = now) =>
  verifyMetadata({ folder, trusted, now: at });
const metadataOf = (folder: string, name: string): Buffer =>
  readFileSync(join(folder, 'metadata', name));

t.test('a bundle is verified by the pinned root, and says who signed what', async (t) => {
  const folder = t.testdir();
  const written = await writeBundle({ folder, roots, sequence: 7 });
  const verified = await verify(folder);
  t.equal(verified.stream, stream);
  t.equal(verified.sequence, 7);
  t.equal(verified.snapshot, written);
  t.equal(verified.snapshot, digestOf(metadataOf(folder, '7.snapshot.json')));
  t.equal(verified.news, 'new');
  t.notOk(verified.recovered);
  t.strictSame([...verified.targets.keys()], ['bundle.json', 'trust/x509/ca/acme/root.pem']);
  const { id } = toTufKey(signerOf('timestamp'));
  t.match(verified.roles, {
    root: { version: 1, threshold: 1 },
    timestamp: { version: 7, threshold: 1, keys: [id], signedBy: [id] },
  });
  t.strictSame(verified.trusted.seen, { timestamp: 7, snapshot: 7, targets: 7, digest: written });
});

t.test('the same bundle again is no news, and the next one is', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots, sequence: 7 });
  const { trusted } = await verify(folder);
  t.equal((await verify(folder, trusted)).news, 'again');
  const next = join(folder, 'next');
  await writeBundle({ folder: next, roots, sequence: 9 });
  t.equal((await verify(next, trusted)).news, 'new');
});

for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
  t.test(`${role} signed by another key is refused`, async (t) => {
    const folder = t.testdir();
    const others = await rootsOf({ keys: { [role]: ['stranger'] } });
    await writeBundle({ folder, roots: others, signers: { [role]: ['stranger'] } });
    await t.rejects(verify(folder), {
      code: 'METADATA_SIGNATURE',
      message: new RegExp(`the ${role} metadata, version 1, are signed by 0, not by 1 of the`),
    });
  });

  t.test(`${role} signed by fewer than the threshold is refused`, async (t) => {
    const folder = t.testdir();
    const keys = { [role]: [`${role}-a`, `${role}-b`] };
    const strict = await rootsOf({ keys, threshold: { [role]: 2 } });
    const lax = await rootsOf({ keys });
    await writeBundle({ folder, roots: lax, signers: { [role]: [`${role}-a`] } });
    await t.rejects(verify(folder, { root: strict[0], seen: undefined }), {
      code: 'METADATA_SIGNATURE',
      message: new RegExp(`the ${role} metadata, version 1, are signed by 1, not by 2 of the`),
    });
    const both = join(folder, 'both');
    await writeBundle({ folder: both, roots: strict, signers: keys });
    t.equal((await verify(both, { root: strict[0], seen: undefined })).roles[role].threshold, 2);
  });

  t.test(`${role} that expired is refused, at the very second`, async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots, expires: { [role]: '2030-03-01T00:00:00Z' } });
    const end = new Date('2030-03-01T00:00:00Z');
    await t.resolves(verify(folder, pinned, new Date(end.getTime() - 1)));
    await t.rejects(verify(folder, pinned, end), {
      code: 'METADATA_EXPIRED',
      message: `the ${role} metadata, version 1, expired at 2030-03-01T00:00:00.000Z; the time is 2030-03-01T00:00:00.000Z`,
    });
    const told = await verifyMetadata({ folder, trusted: pinned, now: end, expired: 'reported' });
    t.strictSame(told.expired, [role]);
  });

  t.test(`${role} of a version below the one that was trusted is refused`, async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots, sequence: 6 });
    const none = { timestamp: 1, snapshot: 1, targets: 1, digest: digestOf(Buffer.from('x')) };
    await t.rejects(verify(folder, { ...pinned, seen: { ...none, [role]: 7 } }), {
      code: 'METADATA_ROLLBACK',
      message: `the ${role} metadata have version 6, and version 7 was trusted before: a newer bundle came already`,
    });
  });
}

t.test('a root that expired is refused', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots, expires: { timestamp: '2040-01-01T00:00:00Z' } });
  await t.rejects(verify(folder, pinned, new Date('2031-01-01T00:00:00Z')), {
    code: 'METADATA_EXPIRED',
    message: /^the root metadata, version 1, expired/,
  });
});

t.test('two bundles of one number are a fork', async (t) => {
  const [folder, other] = [join(t.testdir(), 'a'), join(t.testdirName, 'b')];
  await writeBundle({ folder, roots, sequence: 8 });
  await writeBundle({ folder: other, roots, sequence: 8, targets: [] });
  const { trusted } = await verify(folder);
  await t.rejects(verify(other, trusted), {
    code: 'FORK',
    message: /another bundle 8 was trusted/,
  });
});

t.test('metadata of two bundles do not mix', async (t) => {
  const parent = t.testdir();
  const make = async (name: string) => {
    const [folder, other] = [join(parent, name), join(parent, `${name}-other`)];
    await writeBundle({ folder, roots, sequence: 7 });
    await writeBundle({ folder: other, roots, sequence: 7, targets: [] });
    return { folder, take: (file: string) => putMetadata(folder, file, metadataOf(other, file)) };
  };
  for (const file of ['7.snapshot.json', '7.targets.json']) {
    const { folder, take } = await make(file);
    take(file);
    await t.rejects(verify(folder), {
      code: 'METADATA_MISMATCH',
      message: new RegExp(`^.*${file}`),
    });
  }
});

t.test('metadata that are signed, but of several versions, are no bundle', async (t) => {
  const folder = t.testdir();
  // Who has the keys of snapshot and timestamp alone can't carry versions away.
  await writeBundle({ folder, roots, sequence: 7 });
  const targets = metadataOf(folder, '7.targets.json');
  const { signal } = new AbortController();
  const expires = new Date('2030-06-01T00:00:00Z');
  const snapshot = makeSnapshot({ version: 7, expires }, targets);
  Object.assign(snapshot, { version: 99 });
  const snapshotJson = await signMetadata(snapshot, [signerOf('snapshot')], signal);
  const timestamp = makeTimestamp({ version: 99, expires }, snapshotJson);
  putMetadata(folder, '99.snapshot.json', snapshotJson);
  putMetadata(
    folder,
    'timestamp.json',
    await signMetadata(timestamp, [signerOf('timestamp')], signal),
  );
  await t.rejects(verify(folder), {
    code: 'METADATA_MISMATCH',
    message: 'the metadata are not of one bundle: timestamp 99, snapshot 99, targets 7',
  });
});

for (const name of ['timestamp.json', '7.snapshot.json', '7.targets.json']) {
  t.test(`a bundle without ${name} is not finished`, async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots, sequence: 7 });
    rmSync(join(folder, 'metadata', name));
    await t.rejects(verify(folder), { code: 'METADATA_MISSING', message: new RegExp(name) });
  });

  t.test(`any byte of ${name} counts`, async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots, sequence: 7 });
    const bytes = metadataOf(folder, name);
    const text = bytes.toString().replace('"version": 7', '"version": 8');
    putMetadata(folder, name, text);
    const code = name === 'timestamp.json' ? 'METADATA_SIGNATURE' : 'METADATA_MISMATCH';
    await t.rejects(verify(folder), { code });
    putMetadata(folder, name, bytes.subarray(0, -5));
    const cut = name === 'timestamp.json' ? 'METADATA_MALFORMED' : 'METADATA_MISMATCH';
    await t.rejects(verify(folder), { code: cut });
    putMetadata(folder, name, Buffer.concat([bytes, Buffer.alloc(1024 * 1024, ' ')]));
    await t.rejects(verify(folder), { code: cut });
  });
}

t.test('a bundle of another stream is named as such', async (t) => {
  const folder = t.testdir();
  const others = await rootsOf({ stream: 'f'.repeat(32) });
  await writeBundle({ folder, roots: others });
  await t.rejects(verify(folder), {
    code: 'STREAM_MISMATCH',
    message: `the bundle is of stream ${'f'.repeat(32)}, trusted is ${stream}`,
  });
});

t.test('a root that its own keys did not sign begins no trust', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots });
  const [unsigned] = await rootsOf({ signers: ['stranger'] });
  await t.rejects(verify(folder, { root: unsigned, seen: undefined }), {
    code: 'METADATA_SIGNATURE',
  });
});

t.test('root rotation', async (t) => {
  const chain = await rootsOf(
    {},
    { keys: { root: ['root-2'] } },
    { keys: { root: ['root-2'], timestamp: ['ecdsa-timestamp'] } },
    {
      keys: { root: ['root-4a', 'root-4b'], timestamp: ['ecdsa-timestamp'] },
      threshold: { root: 2 },
    },
  );
  const signers = { timestamp: ['ecdsa-timestamp'] };

  t.test('leads from the first to the fourth at once', async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots: chain, signers, sequence: 2 });
    const verified = await verify(folder);
    t.strictSame(
      verified.roots.map(({ version }) => version),
      [1, 2, 3, 4],
    );
    t.ok(Buffer.from(verified.trusted.root).equals(chain[3] as Buffer));
    t.equal((await verify(folder, verified.trusted)).roots.length, 1);
  });

  t.test('may have roots on its way that expired', async (t) => {
    const folder = t.testdir();
    const old = await rootsOf({ expires: '2029-01-01T00:00:00Z' }, {});
    await writeBundle({ folder, roots: old });
    t.equal((await verify(folder, { root: old[0], seen: undefined })).roles.root.version, 2);
  });

  t.test('stops where a root is missing', async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots: chain, signers, sequence: 2 });
    rmSync(join(folder, 'metadata', '2.root.json'));
    await t.rejects(verify(folder), { code: 'METADATA_SIGNATURE', message: /of root 1$/ });
  });

  for (const [name, signer] of [
    ['the old key alone', 'root'],
    ['the new key alone', 'root-2'],
  ] as const) {
    t.test(`needs both keys: ${name}`, async (t) => {
      const folder = t.testdir();
      await writeBundle({ folder, roots });
      const [, next] = await rootsOf({}, { keys: { root: ['root-2'] }, signers: [signer] });
      putMetadata(folder, '2.root.json', next as Buffer);
      await t.rejects(verify(folder), {
        code: 'METADATA_SIGNATURE',
        message: /the root metadata, version 2, are signed by 0, not by 1 of the root keys/,
      });
    });
  }

  t.test('needs the version that its name says', async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots });
    const [, far] = await rootsOf({}, { version: 3 });
    putMetadata(folder, '2.root.json', far as Buffer);
    await t.rejects(verify(folder), { code: 'METADATA_MISMATCH', message: /has version 3/ });
    putMetadata(folder, '2.root.json', roots[0]);
    await t.rejects(verify(folder), { code: 'METADATA_ROLLBACK', message: /has version 1/ });
  });

  t.test('stays in its stream', async (t) => {
    const folder = t.testdir();
    await writeBundle({ folder, roots });
    const [, other] = await rootsOf({}, { stream: 'f'.repeat(32) });
    putMetadata(folder, '2.root.json', other as Buffer);
    await t.rejects(verify(folder), { code: 'STREAM_MISMATCH' });
  });

  t.test('recovers from versions that a stolen key has carried away', async (t) => {
    const parent = t.testdir();
    const stolen = join(parent, 'stolen');
    await writeBundle({ folder: stolen, roots, sequence: 999_999 });
    const { trusted } = await verify(stolen);
    for (const role of ['timestamp', 'snapshot'] as const) {
      const folder = join(parent, role);
      const rotated = await rootsOf({}, { keys: { [role]: ['fresh'] } });
      await writeBundle({ folder, roots: rotated, signers: { [role]: ['fresh'] }, sequence: 8 });
      const verified = await verify(folder, trusted);
      t.ok(verified.recovered);
      t.equal(verified.sequence, 8);
      await t.rejects(verify(stolen, verified.trusted), { code: 'METADATA_SIGNATURE' });
    }
    const folder = join(parent, 'more');
    const more = await rootsOf({}, { keys: { timestamp: ['timestamp', 'another'] } });
    await writeBundle({ folder, roots: more, sequence: 8 });
    await t.rejects(verify(folder, trusted), { code: 'METADATA_ROLLBACK' }, 'none was taken back');
  });
});

t.test('a new root brings nothing old back that keys of both have signed', async (t) => {
  const parent = t.testdir();
  const both = { keys: { timestamp: ['a', 'b'] } };
  const [one, two] = await rootsOf(both, { keys: { timestamp: ['a'] } });
  const wish = { roots: [one] as const, signers: { timestamp: ['a'] } };
  const [older, newer] = [join(parent, 'older'), join(parent, 'newer')];
  await writeBundle({ ...wish, folder: older, sequence: 5 });
  await writeBundle({ ...wish, folder: newer, sequence: 9 });
  const { trusted } = await verify(newer, { root: one, seen: undefined });
  putMetadata(older, '2.root.json', two as Buffer);
  await t.rejects(verify(older, trusted), { code: 'METADATA_ROLLBACK' });
});

t.test('a name that stands twice is refused', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots });
  const text = metadataOf(folder, 'timestamp.json').toString();
  putMetadata(folder, 'timestamp.json', text.replace('"version": 1', '"version": 2,"version": 1'));
  await t.rejects(verify(folder), {
    code: 'METADATA_MALFORMED',
    message: /the name "version" stands twice/,
  });
});

t.test('metadata that can not be read are no answer', async (t) => {
  const folder = t.testdir();
  await writeBundle({ folder, roots });
  const file = join(folder, 'metadata', 'timestamp.json');
  renameSync(file, `${file}.old`);
  putMetadata(join(folder, 'metadata', 'timestamp.json'), 'x', '');
  await t.rejects(verify(folder), { code: 'READ_FAILED', message: /no regular file/ });
});
