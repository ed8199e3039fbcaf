import t from 'tap';
import { checkLogEntries } from '../../../../src/formats/sigstore/log-entries.ts';
import { assertSigstoreMutations, type SigstoreMutations } from '../../../support/sigstore-case.ts';

const at = 'log-entries';
const unproven = { at, reason: 'log-unproven' } as const;

assertSigstoreMutations(t, {
  'no entry where a log is asked for': {
    ...unproven,
    plan: { entries: [] },
    because: /^0 of 1 transparency logs that must have it do$/,
  },
  'two entries of one log where two logs are asked for': {
    ...unproven,
    plan: { entries: [{}, { logIndex: 2, as: 'intoto 0.0.2' }] },
    requirement: { minLogs: 2 },
    because: /^1 of 2 transparency logs/,
  },
  'two logs of one operator where two are asked for': {
    ...unproven,
    plan: { entries: [{}, { log: 'rekor-two', logIndex: 2 }] },
    requirement: { minLogs: 2 },
    because: /^1 of 2 transparency logs/,
  },
  'an entry that is there twice': {
    at,
    plan: { entries: [{}, {}] },
    because: /log entry 1007 \("dsse"\) is there twice/,
  },
  'an entry that is there twice under two places': {
    at,
    plan: { entries: [{ rekor: 'v2' }, { rekor: 'v2', logIndex: 2 }], timestamps: [{}] },
    because: /log entry 2 \("hashedrekord"\) is there twice/,
  },
  'two entries at one place': {
    at,
    plan: { entries: [{}, { as: 'intoto 0.0.2' }] },
    because: /log entry 1007 .* is there twice/,
  },
  'a broken entry of a known log beside a good one': {
    at,
    plan: { entries: [{}, { log: 'other-log', logIndex: 2, promisedBy: 'rekor' }] },
    because: /entry 2 of "other-log.example.test" has a signed entry timestamp/,
  },
  'a broken entry where no log is asked for': {
    at,
    plan: { entries: [{ promisedBy: 'other-log' }], timestamps: [{}] },
    requirement: { minLogs: 0, minTimestamps: 1 },
    because: /signed entry timestamp/,
  },
} satisfies SigstoreMutations);

t.test('without a root nothing counts, and nothing is asked for', async (t) => {
  const envelope = {
    content: { kind: 'simple-signing', payload: Buffer.from('') },
    signature: Buffer.from(''),
    verifier: { kind: 'public-key' },
    logEntries: [],
    timestamps: [],
    timestamped: Buffer.from(''),
  } as const;
  const by = { kind: 'certificate' } as const;
  const found = await checkLogEntries({ envelope, root: undefined, by, times: [], minLogs: 0 });
  t.match(found, { finding: { outcome: 'passed' }, witnesses: [] });
});
