import t from 'tap';
import { type RoleMetadata, readRole, signersOf } from '../../../src/airgap/metadata-model.ts';
import {
  makeSnapshot,
  makeTargets,
  makeTimestamp,
  signMetadata,
} from '../../../src/airgap/metadata-signing.ts';
import { type BundleRole, bundleRoles } from '../../../src/airgap/metadata-state.ts';
import { rootsOf, signerOf } from '../../support/metadata-kit.ts';

type Members = Record<string, unknown>;
const { signal } = new AbortController();
const version = { version: 7, expires: new Date('2031-01-01T00:00:00Z') };
const target = { path: 'trust/policy.yaml', length: 3, sha256: 'ab'.repeat(32) };
const [root] = await rootsOf({});
const made = {
  root,
  targets: await signMetadata(makeTargets(version, [target]), [signerOf('targets')], signal),
  snapshot: await signMetadata(makeSnapshot(version, root), [signerOf('snapshot')], signal),
  timestamp: await signMetadata(makeTimestamp(version, root), [signerOf('timestamp')], signal),
} as const satisfies Record<BundleRole, Uint8Array>;

function change(role: BundleRole, breakIt: (signed: Members, all: Members) => void): Buffer {
  const all = JSON.parse(made[role].toString()) as Members;
  breakIt(all['signed'] as Members, all);
  return Buffer.from(JSON.stringify(all));
}

for (const role of bundleRoles) {
  t.test(`${role} metadata are read as they were written`, async (t) => {
    const read: RoleMetadata = readRole(role, made[role]);
    t.equal(read.role, role);
    t.equal(read.version, role === 'root' ? 1 : 7);
    t.strictSame(read.expires, version.expires);
    t.equal(signersOf(readRole('root', root), read).length, 1);
  });

  const common: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    'of another role': [change(role, (signed) => (signed['_type'] = 'mirrors')), /expected/],
    'of version 0': [change(role, (signed) => (signed['version'] = 0)), /version is no number/],
    'of version 1.5': [change(role, (signed) => (signed['version'] = 1.5)), /version is no number/],
    'of a version in text': [change(role, (signed) => (signed['version'] = '7')), /version is no/],
    'without an end': [change(role, (signed) => delete signed['expires']), /expires is no time/],
    'that end some day': [
      change(role, (signed) => (signed['expires'] = '2031')),
      /expires is no time/,
    ],
    'of TUF 2': [change(role, (signed) => (signed['spec_version'] = '2.0.0')), /spec_version/],
    'without signatures': [change(role, (_, all) => delete all['signatures']), /signatures is no/],
    'signed by a crowd': [
      change(role, (_, all) => {
        all['signatures'] = Array.from({ length: 65 }, (_x, at) => ({ keyid: `${at}`, sig: '' }));
      }),
      /signatures is no list of at most 64/,
    ],
    'signed twice by one': [
      change(role, (_, all) => {
        const list = all['signatures'] as unknown[];
        all['signatures'] = [...list, ...list];
      }),
      /multiple signatures/,
    ],
    'of nothing': [change(role, (_, all) => delete all['signed']), /signed is missing/],
    'that are a list': [Buffer.from('[]'), /signed is missing/],
    'that are no JSON': [Buffer.from('{'), /no JSON/],
  };
  for (const [name, [bytes, why]] of Object.entries(common)) {
    t.test(`${role} metadata ${name} are refused`, async (t) => {
      t.throws(() => readRole(role, bytes), { code: 'METADATA_MALFORMED', message: why });
    });
  }

  t.test(`${role} metadata count in every member`, async (t) => {
    const read = (bytes: Buffer): readonly string[] =>
      signersOf(readRole('root', root), readRole(role, bytes));
    t.strictSame(read(change(role, (signed) => (signed['x-more'] = 1))), []);
    const later = change(role, (signed) => (signed['expires'] = '2031-01-01T00:00:01Z'));
    t.strictSame(read(later), []);
    const other = change(role, (_, all) => {
      const [signature] = all['signatures'] as { sig: string }[];
      if (signature !== undefined) signature.sig = signature.sig.replace(/^../, '00');
    });
    t.strictSame(read(other), []);
    t.equal(
      read(change(role, (_, all) => (all['more'] = 1))).length,
      1,
      'outside of what is signed',
    );
  });
}

const keysOf = (signed: Members) => signed['keys'] as Record<string, Members>;
const rolesOf = (signed: Members) => signed['roles'] as Record<string, Members>;
const firstKey = (signed: Members): readonly [string, Members] =>
  Object.entries(keysOf(signed))[0] ?? ['', {}];

const roots: Readonly<Record<string, readonly [(signed: Members) => void, RegExp]>> = {
  'no stream': [(signed) => delete signed['x-assay-stream'], /x-assay-stream names no stream/],
  'snapshots that overwrite': [
    (signed) => (signed['consistent_snapshot'] = false),
    /consistent_snapshot is not true/,
  ],
  'one key under two ids': [
    (signed) => (keysOf(signed)['another'] = firstKey(signed)[1]),
    /one key stands under two ids/,
  ],
  'one key in two cases': [
    (signed) => {
      const [, key] = firstKey(signed);
      const keyval = { public: String((key['keyval'] as Members)['public']).toUpperCase() };
      keysOf(signed)['another'] = { ...key, keyval };
    },
    /key "another" can not be read/,
  ],
  'a key of another kind': [
    (signed) => (firstKey(signed)[1]['scheme'] = 'rsassa-pss-sha256'),
    /is neither Ed25519 nor ECDSA on P-256/,
  ],
  'a key of nothing': [(signed) => (firstKey(signed)[1]['keyval'] = {}), /is neither/],
  'more keys than anybody has': [
    (signed) => {
      for (let at = 0; at < 64; at += 1) keysOf(signed)[`${at}`] = firstKey(signed)[1];
    },
    /more than 64 keys/,
  ],
  'a role too few': [(signed) => delete rolesOf(signed)['snapshot'], /its roles are not/],
  'a role too many': [
    (signed) => (rolesOf(signed)['mirrors'] = { keyids: [], threshold: 1 }),
    /its roles are not/,
  ],
  'a threshold of 0': [
    (signed) => (rolesOf(signed)['root']!['threshold'] = 0),
    /role root has no threshold from 1/,
  ],
  'a threshold in text': [
    (signed) => (rolesOf(signed)['root']!['threshold'] = '1'),
    /role root has no threshold from 1/,
  ],
  'a key twice in a role': [
    (signed) => {
      const role = rolesOf(signed)['root']!;
      role['keyids'] = [...(role['keyids'] as string[]), ...(role['keyids'] as string[])];
    },
    /duplicate/,
  ],
  'a key that is not listed': [
    (signed) => (rolesOf(signed)['root']!['keyids'] = ['none']),
    /role root has a key that is not listed/,
  ],
};
for (const [name, [breakIt, why]] of Object.entries(roots)) {
  t.test(`a root with ${name} is refused`, async (t) => {
    t.throws(() => readRole('root', change('root', breakIt)), {
      code: 'METADATA_MALFORMED',
      message: why,
    });
  });
}

const targets: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  'a path that leads away': [{ '../x': {} }, /"..\/x" is no target of a bundle/],
  'a name of its own': [{ 'notes.txt': {} }, /"notes.txt" is no target/],
  'no hash': [{ 'bundle.json': { length: 1, hashes: {} } }, /"bundle.json" has no SHA-256/],
  'half a hash': [{ 'bundle.json': { length: 1, hashes: { sha256: 'ab' } } }, /has no SHA-256/],
  'no length': [{ 'bundle.json': { hashes: { sha256: 'ab'.repeat(32) } } }, /has no length/],
  'a length below 0': [
    { 'bundle.json': { length: -1, hashes: { sha256: 'ab'.repeat(32) } } },
    /has no length/,
  ],
  'no list': [undefined, /targets is missing/],
  'more than anybody needs': [
    Object.fromEntries(Array.from({ length: 4097 }, (_, at) => [`trust/${at}`, {}])),
    /more than 4096 targets/,
  ],
};
for (const [name, [list, why]] of Object.entries(targets)) {
  t.test(`targets with ${name} are refused`, async (t) => {
    const bytes = change('targets', (signed) => (signed['targets'] = list));
    t.throws(() => readRole('targets', bytes), { code: 'METADATA_MALFORMED', message: why });
  });
}

t.test('targets that delegate are refused', async (t) => {
  const bytes = change('targets', (signed) => (signed['delegations'] = { keys: {}, roles: [] }));
  t.throws(() => readRole('targets', bytes), { message: /bundles have no delegations/ });
});

for (const role of ['snapshot', 'timestamp'] as const) {
  const name = role === 'snapshot' ? 'targets.json' : 'snapshot.json';
  const metas: Readonly<Record<string, readonly [(meta: Members) => void, RegExp]>> = {
    'no file': [(meta) => delete meta[name], /meta is not of/],
    'another file': [(meta) => (meta['more.json'] = meta[name]), /meta is not of/],
    'no hash': [(meta) => delete (meta[name] as Members)['hashes'], /has no SHA-256/],
    'no length': [(meta) => delete (meta[name] as Members)['length'], /has no length/],
    'no version': [(meta) => delete (meta[name] as Members)['version'], /has no version/],
    'version 0': [(meta) => ((meta[name] as Members)['version'] = 0), /has no version/],
  };
  for (const [what, [breakIt, why]] of Object.entries(metas)) {
    t.test(`a ${role} of ${what} is refused`, async (t) => {
      const bytes = change(role, (signed) => breakIt(signed['meta'] as Members));
      t.throws(() => readRole(role, bytes), { code: 'METADATA_MALFORMED', message: why });
    });
  }
}

for (const [role, bytes] of [
  ['root', 512 * 1024],
  ['timestamp', 16 * 1024],
  ['snapshot', 2 * 1024 * 1024],
  ['targets', 64 * 1024 * 1024],
] as const) {
  t.test(`${role} metadata of more than ${bytes} bytes are refused`, async (t) => {
    t.throws(() => readRole(role, Buffer.alloc(bytes + 1, ' ')), {
      code: 'METADATA_MALFORMED',
      message: `the ${role} metadata are malformed: it is larger than ${bytes} bytes`,
    });
  });
}

t.test('many values in few bytes are not made, which nobody has signed yet', async (t) => {
  const lists = `[${'[],'.repeat(60_000)}[]]`;
  const bytes = Buffer.from(`{"signed":{"targets":${lists}},"signatures":[]}`);
  t.throws(() => readRole('targets', bytes), {
    code: 'METADATA_MALFORMED',
    message: /more than 100000 values/,
  });
});
