import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { exactLength } from '../../../src/routes/exact-length.ts';

async function pass(size: number, ...chunks: readonly string[]): Promise<string> {
  const exact = exactLength(size);
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const [text] = await Promise.all([buffer(exact), pipeline(source, exact)]);
  return text.toString();
}

t.test('exactly the bytes promised pass, in any number of chunks', async (t) => {
  t.equal(await pass(6, 'abc', 'def'), 'abcdef');
  t.equal(await pass(0), '');
});

t.test('one byte more or less fails', async (t) => {
  await t.rejects(pass(5, 'abc', 'def'), { message: 'the stream has more than 5 bytes' });
  await t.rejects(pass(7, 'abc', 'def'), { message: 'the stream ended after 6 of 7 bytes' });
  await t.rejects(pass(0, 'a'), { message: 'the stream has more than 0 bytes' });
});

t.test('no byte past the length gets out', async (t) => {
  const exact = exactLength(2);
  const seen: Buffer[] = [];
  exact.on('data', (chunk: Buffer) => seen.push(chunk));
  const source = Readable.from([Buffer.from('ab'), Buffer.from('cd')]);
  await t.rejects(pipeline(source, exact));
  t.equal(Buffer.concat(seen).toString(), 'ab');
});
