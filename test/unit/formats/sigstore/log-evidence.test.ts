import t from 'tap';
import type { BundleEntry } from '../../../support/bundle-entry.ts';
import type { EntryPlan } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  type SigstoreMutation,
  type SigstoreMutations,
} from '../../../support/sigstore-case.ts';
import { logEntry } from '../../../support/trusted-root.ts';

const at = 'log-entries';
const flip = (text: string): string => {
  const bytes = Buffer.from(text, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString('base64');
};
const proof =
  (change: (proof: BundleEntry['inclusionProof']) => object) => (entry: BundleEntry) => ({
    ...entry,
    inclusionProof: { ...entry.inclusionProof, ...change(entry.inclusionProof) },
  });

/** One thing that an entry of a known log says wrong; each alone is refused. */
const broken: Readonly<Record<string, readonly [EntryPlan, RegExp]>> = {
  'a promise that was changed': [
    {
      entry: (entry) => ({
        ...entry,
        inclusionPromise: {
          signedEntryTimestamp: flip(entry.inclusionPromise.signedEntryTimestamp),
        },
      }),
    },
    /signed entry timestamp that does not verify/,
  ],
  'a promise by another log': [{ promisedBy: 'other-log' }, /signed entry timestamp/],
  'a promise of another time': [
    { promised: { integratedTime: 1893456002 } },
    /signed entry timestamp/,
  ],
  'a promise of another place': [{ promised: { logIndex: 3 } }, /signed entry timestamp/],
  'a promise of another log': [{ promised: { logID: '00' } }, /signed entry timestamp/],
  'a promise over another body': [{ promised: { body: 'AAAA' } }, /signed entry timestamp/],
  'a promise without a time': [
    { entry: (entry) => ({ ...entry, integratedTime: undefined }) },
    /signed entry timestamp/,
  ],
  'a time far beyond all calendars': [
    {
      promised: { integratedTime: 9_000_000_000_000 },
      entry: (entry) => ({ ...entry, integratedTime: '9000000000000' }),
    },
    /signed entry timestamp/,
  ],
  'a hash of the proof that was changed': [
    { entry: proof(({ hashes }) => ({ hashes: hashes.with(1, flip(hashes[1] ?? '')) })) },
    /proof that does not lead to its root hash/,
  ],
  'a hash of the proof too few': [
    { entry: proof(({ hashes }) => ({ hashes: hashes.slice(1) })) },
    /proof that does not lead/,
  ],
  'a hash of the proof too many': [
    { entry: proof(({ hashes }) => ({ hashes: [...hashes, ...hashes.slice(0, 1)] })) },
    /proof that does not lead/,
  ],
  'another place in the proof': [{ entry: proof(() => ({ logIndex: '5' })) }, /does not lead/],
  'a place outside its tree': [{ entry: proof(() => ({ logIndex: '11' })) }, /does not lead/],
  'a tree of another size': [
    { entry: proof(() => ({ treeSize: '12' })) },
    /does not lead|another tree/,
  ],
  'another root hash': [
    { entry: proof(({ rootHash }) => ({ rootHash: flip(rootHash) })) },
    /does not lead to its root hash/,
  ],
  'a checkpoint of another size': [{ checkpoint: { treeSize: 12 } }, /checkpoint of another tree/],
  'a checkpoint of another root': [
    { checkpoint: { rootHash: Buffer.alloc(32) } },
    /checkpoint of another tree/,
  ],
  'a checkpoint by another key': [
    { checkpoint: { signedBy: 'other-log' } },
    /checkpoint that the log did not sign/,
  ],
  'a checkpoint under another name': [
    { checkpoint: { name: 'other-log.example.test' } },
    /checkpoint that the log did not sign/,
  ],
  'a checkpoint of another log': [
    { checkpoint: { origin: 'other-log.example.test' } },
    /checkpoint that the log did not sign/,
  ],
  'a checkpoint of a log whose name has the log in it': [
    {
      checkpoint: { origin: 'rekor.example.test.evil.test', name: 'rekor.example.test.evil.test' },
    },
    /checkpoint that the log did not sign/,
  ],
  'a checkpoint under a name that is a pattern': [
    { checkpoint: { name: '.*', origin: '.*' } },
    /checkpoint that the log did not sign/,
  ],
  'a checkpoint that is none': [
    { entry: proof(() => ({ checkpoint: { envelope: 'rekor.example.test\nx\n' } })) },
    /not a checkpoint/,
  ],
};

assertSigstoreMutations(
  t,
  Object.fromEntries(
    Object.entries(broken).map(([what, [entry, because]]): [string, SigstoreMutation] => [
      what,
      { at, because, plan: { entries: [entry] } },
    ]),
  ),
);

const passedBy = { at, reason: 'log-unproven' } as const;
const window = (validFor: object) => ({
  root: { tlogs: [logEntry('rekor', { publicKey: { ...keyOf('rekor'), validFor } })] },
});
const endedBefore = { start: '2021-01-01T00:00:00Z', end: '2029-01-01T00:00:00Z' };
function keyOf(name: string): object {
  return logEntry(name)['publicKey'] as object;
}

assertSigstoreMutations(t, {
  'a log that nobody knows': {
    ...passedBy,
    plan: { entries: [{ log: 'stranger' }] },
    because: /^0 of 1 transparency logs.*; no log [0-9a-f]{16} is known/,
  },
  'a log that was not trusted yet': {
    ...passedBy,
    ...window({ start: '2030-01-01T00:00:02Z' }),
    because: /rekor.example.test" is not trusted at 2030-01-01T00:00:01/,
  },
  'a log that was not trusted any more': {
    ...passedBy,
    ...window({ start: '2021-01-01T00:00:00Z', end: '2030-01-01T00:00:00Z' }),
    because: /is not trusted at/,
  },
  'a log of Rekor v2 that was not trusted at the time of the timestamp': {
    ...passedBy,
    ...window({ start: '2021-01-01T00:00:00Z', end: '2030-01-01T00:00:01Z' }),
    plan: { entries: [{ rekor: 'v2' }], timestamps: [{}] },
    because: /is not trusted at 2030-01-01T00:00:02/,
  },
  'a log of Rekor v2 that was not trusted when another log took the signature in': {
    ...passedBy,
    root: {
      tlogs: [
        logEntry('rekor', { operator: 'acme' }),
        logEntry('other-log', {
          operator: 'other',
          publicKey: { ...keyOf('other-log'), validFor: endedBefore },
        }),
      ],
    },
    // Whoever has the key of a log that ended would otherwise be the second of two.
    plan: { entries: [{ rekor: 'v2', log: 'other-log', logIndex: 2 }, {}] },
    requirement: { minLogs: 2 },
    because:
      /^1 of 2 transparency logs.*other-log.example.test" is not trusted at 2030-01-01T00:00:01/,
  },
} satisfies SigstoreMutations);
