import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { openWorkerThreads } from '../../../../src/compose/worker-threads.ts';
import {
  maxBytesReadHere,
  readEnvelope,
  readWhereItFits,
} from '../../../../src/formats/sigstore/read-apart.ts';
import { makeBundle } from '../../../support/sigstore-bundle.ts';
import { runBundle } from '../../../support/sigstore-case.ts';

const { signal } = new AbortController();
const limits = {
  maxThreads: 1,
  maxQueue: 8,
  maxBytes: 2 ** 27,
  deadlineMs: 20_000,
  maxHeapMb: 256,
  idleMs: 1000,
};
const never = async (): Promise<never> => {
  throw new Error('nobody reads apart');
};
const large = (): Buffer =>
  makeBundle({ statement: (s) => ({ ...s, predicate: 'x'.repeat(maxBytesReadHere) }) }).bytes;

t.test('a small envelope is read at once, and a large one apart', async (t) => {
  const { bytes } = makeBundle();
  const here = readWhereItFits('bundle', bytes, 2 ** 20, { readApart: never, signal });
  t.match(here, { content: { kind: 'dsse' } });
  const apart = readWhereItFits('bundle', large(), 2 ** 20, { readApart: never, signal });
  await t.rejects(Promise.resolve(apart), { message: 'nobody reads apart' });
});

t.test('a large bundle and a large DSSE envelope are read in a thread as here', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const { readApart } = threads;
  const bytes = large();
  const here = structuredClone(read('bundle', bytes));
  const bundle = await readWhereItFits('bundle', Uint8Array.from(bytes), 2 ** 20, {
    readApart,
    signal,
  });
  t.ok(isDeepStrictEqual(bundle, here), 'the same in all parts');
  const { dsseEnvelope } = JSON.parse(bytes.toString()) as { readonly dsseEnvelope: object };
  const dsse = Buffer.from(JSON.stringify(dsseEnvelope));
  const envelope = await readWhereItFits('dsse-envelope', dsse, 2 ** 20, { readApart, signal });
  t.match(envelope, { head: { predicateType: /cosign/ }, signatures: [{}] });
  t.ok(dsse.length > 0, 'the bytes are still there for a timestamp over them');
});

t.test('the thread takes the bytes of a large bundle, and nobody reads them again', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const { readApart } = threads;
  const bytes = Uint8Array.from(large());
  const { content } = await readWhereItFits('bundle', bytes, 2 ** 20, { readApart, signal });
  t.ok(bytes.buffer.detached, 'there is no copy of them here');
  t.ok('payload' in content && content.payload.buffer instanceof SharedArrayBuffer, 'nor of it');
  t.throws(() => readWhereItFits('bundle', bytes, 2 ** 20, { readApart, signal }), {
    name: 'TypeError',
    message: 'the bytes of an envelope were read already, and taken',
  });
});

t.test('of bytes that are part of others the thread takes a copy', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const { readApart } = threads;
  const all = Uint8Array.from(Buffer.concat([Buffer.alloc(10), large()]));
  const part = all.subarray(10);
  const bundle = await readWhereItFits('bundle', part, 2 ** 20, { readApart, signal });
  t.match(bundle, { content: { kind: 'dsse' } });
  t.equal(all.length, 10 + part.length);
  t.notOk(all.buffer.detached);
});

// Objects weigh 50 times what three bytes of JSON do, and a heap that ends within JSON.parse ends the
// process, whichever thread it is of.
t.test('small values without number are refused before any is made', async (t) => {
  const listOf = (values: number): string => `[${'{},'.repeat(values / 2)}0]`;
  const many = (values: number): Buffer => Buffer.from(`{"mediaType":${listOf(values)}}`);
  const maxBytes = 2 ** 26;
  const problemOf = (kind: 'bundle' | 'dsse-envelope', bytes: Uint8Array): string => {
    const answer = readEnvelope({ kind, bytes, maxBytes });
    return 'malformed' in answer ? answer.malformed.message : 'it was read';
  };
  t.match(problemOf('bundle', many(10_002)), /: it has more than 10000 values$/);
  t.match(problemOf('bundle', many(9_000)), /mediaType is no text$/, 'fewer are read');
  t.match(problemOf('dsse-envelope', many(1_002)), /: it has more than 1000 values$/);
  t.match(problemOf('dsse-envelope', many(900)), /is not known$/, 'fewer are read');
});

t.test('a statement of more values than any SBOM has says nothing', async (t) => {
  const headOf = (predicate: string): unknown => {
    const { bytes } = makeBundle({ statement: () => ({ predicate: 'PREDICATE' }) });
    const bundle = JSON.parse(bytes.toString()) as { dsseEnvelope: { payload: string } };
    const statement = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    const payload = Buffer.from(statement.replace('"PREDICATE"', () => predicate));
    bundle.dsseEnvelope.payload = payload.toString('base64');
    const untrusted = Buffer.from(JSON.stringify(bundle));
    const answer = readEnvelope({ kind: 'bundle', bytes: untrusted, maxBytes: 2 ** 26 });
    if ('malformed' in answer || !('content' in answer.read)) throw new Error('it was not read');
    return answer.read.content;
  };
  const listOf = (values: number): string => `[${'{},'.repeat(values / 2)}0]`;
  t.match(headOf(listOf(2_000_000)), { head: { problem: 'it has more than 2000000 values' } });
  t.match(headOf(listOf(1_900_000)), { head: { problem: /_type/ } }, 'fewer are read');
  const component = JSON.stringify({
    type: 'library',
    name: 'package-0-100000',
    version: '1.100000.0',
    purl: 'pkg:npm/package-0-100000@1.100000.0',
    licenses: [{ license: { id: 'MIT' } }],
  });
  const count = Math.ceil(30_000_000 / (component.length + 1));
  const sbom = `{"components":[${Array.from({ length: count }, () => component).join()}]}`;
  t.match(headOf(sbom), { head: { problem: /_type/ } }, 'of 30 MB of small components too');
});

function read(kind: 'bundle', bytes: Uint8Array): unknown {
  const answer = readEnvelope({ kind, bytes, maxBytes: 2 ** 20 });
  return 'read' in answer ? answer.read : answer.malformed;
}

t.test('what is malformed is refused with the same words from a thread', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const { readApart } = threads;
  const bytes = Buffer.from(large().toString().replace('mediaType', 'mediumType'));
  const own = Uint8Array.from(bytes);
  const reading = readWhereItFits('bundle', own, 2 ** 20, { readApart, signal });
  await t.rejects(Promise.resolve(reading), {
    name: 'EnvelopeError',
    code: 'BUNDLE_MALFORMED',
    message: 'not a Sigstore bundle: mediaType is missing',
  });
  const tooLarge = readWhereItFits('bundle', bytes, 1000, { readApart, signal });
  await t.rejects(Promise.resolve(tooLarge), { message: /larger than 1000 bytes/ });
});

t.test('a large attestation passes every check out of a thread', async (t) => {
  const threads = openWorkerThreads(limits);
  t.teardown(() => threads.close());
  const components = Array.from({ length: 20_000 }, (_, number) => ({
    name: `component ${number}`,
  }));
  const plan = {
    predicateType: 'https://cyclonedx.org/bom',
    statement: (s: object) => ({ ...s, predicate: { components } }),
  };
  const { stoppedBy, proven } = await runBundle(plan, {
    context: { readApart: threads.readApart },
  });
  t.equal(stoppedBy, undefined);
  t.match(proven.statement, { predicateType: 'https://cyclonedx.org/bom' });
});

t.test('the bytes of an error that is ours are not called malformed', async (t) => {
  const bytes = undefined as unknown as Uint8Array;
  t.throws(() => readEnvelope({ kind: 'bundle', bytes, maxBytes: 1 }), TypeError);
});
