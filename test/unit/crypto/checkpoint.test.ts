import { createHash, createPublicKey, sign } from 'node:crypto';
import t from 'tap';
import {
  isCheckpointOf,
  isCheckpointSignedBy,
  type LogKey,
  readCheckpoint,
} from '../../../src/crypto/checkpoint.ts';
import { spkiOf, testKey } from '../../support/test-keys.ts';

const name = 'rekor.example.test';
const rootHash = createHash('sha256').update('root').digest('base64');
const text = (origin = name): string => `${origin}\n42\n${rootHash}\n`;
const key = testKey('Ed25519', 'checkpoint');
// C2SP signed-note: SHA-256 of name, newline, 1 and the key.
const hint = createHash('sha256')
  .update(Buffer.concat([Buffer.from(`${name}\n\x01`), spkiOf(key).subarray(-32)]))
  .digest()
  .subarray(0, 4);
const log: LogKey = {
  name,
  keyHint: hint.toString('hex'),
  publicKey: createPublicKey(key),
  algorithm: { scheme: 'ed25519', hash: null },
};

function line(signed: string, as = name, by = key, keyHint: Uint8Array = hint): string {
  const signature = Buffer.concat([keyHint, sign(null, Buffer.from(signed), by)]);
  return `\u2014 ${as} ${signature.toString('base64')}\n`;
}

const note = (body = text(), ...lines: readonly string[]): string =>
  `${body}\n${lines.length === 0 ? line(body) : lines.join('')}`;

t.test('a checkpoint is read with its lines', async (t) => {
  const checkpoint = readCheckpoint(note());
  t.match(checkpoint, { origin: name, treeSize: 42, signatures: [{ name, keyHint: log.keyHint }] });
  t.strictSame(Buffer.from(checkpoint.rootHash).toString('base64'), rootHash);
  t.strictSame(Buffer.from(checkpoint.signedText).toString(), text());
  t.ok(isCheckpointSignedBy(checkpoint, log));
});

t.test('an ECDSA key signs as Rekor does, named by its SPKI', async (t) => {
  const own = testKey('EC-256', 'checkpoint');
  const spkiHint = createHash('sha256').update(spkiOf(own)).digest().subarray(0, 4);
  const signature = Buffer.concat([spkiHint, sign('sha256', Buffer.from(text()), own)]);
  const checkpoint = readCheckpoint(
    note(text(), `\u2014 ${name} ${signature.toString('base64')}\n`),
  );
  const ecdsa: LogKey = {
    name,
    keyHint: spkiHint.toString('hex'),
    publicKey: createPublicKey(own),
    algorithm: { scheme: 'ecdsa', hash: 'sha256' },
  };
  t.ok(isCheckpointSignedBy(checkpoint, ecdsa));
});

t.test('lines by cosigners, and lines of the text, are part of the format', async (t) => {
  const witness = testKey('Ed25519', 'witness');
  const body = `${text()}Timestamp: 1689177396617352539\n`;
  const cosigned = note(
    body,
    line(body, 'witness.test/a', witness, Buffer.alloc(4, 7)),
    line(body),
  );
  const checkpoint = readCheckpoint(cosigned);
  t.strictSame(checkpoint.signatures.length, 2);
  t.ok(isCheckpointSignedBy(checkpoint, log));
});

const strangers: Readonly<Record<string, string>> = {
  'by a stranger under its name': note(text(), line(text(), name, testKey('Ed25519', 'stranger'))),
  'over another text': note(text(), line(`${name}\n43\n${rootHash}\n`)),
  'by a cosigner alone': note(text(), line(text(), 'witness.test')),
  'under another key hint': note(text(), line(text(), name, key, Buffer.alloc(4))),
  'about another log': note(text('other.test'), line(text('other.test'))),
  'about a log whose name begins with it': note(
    text(`${name}.evil.test`),
    line(text(`${name}.evil.test`)),
  ),
  // One line that verifies does not excuse another of the same key that does not.
  'with a second line that is wrong': note(text(), line(text()), line('another text')),
  // sigstore-js once took the name for a regular expression.
  'under a pattern for a name': note(text('.*'), line(text('.*'), '.*')),
};

for (const [what, untrusted] of Object.entries(strangers)) {
  t.test(`a checkpoint ${what} is not the log's`, async (t) => {
    t.notOk(isCheckpointSignedBy(readCheckpoint(untrusted), log));
  });
}

t.test('an origin is the name, or the name with a shard', async (t) => {
  const of = (origin: string): boolean =>
    isCheckpointOf({ ...readCheckpoint(note()), origin }, name);
  t.ok(of(name));
  t.ok(of(`${name} - 2605736670972794746`));
  for (const origin of [
    `${name} - `,
    `${name} - x`,
    `${name} - 1 - 2`,
    `a.${name}`,
    `${name}:443`,
  ]) {
    t.notOk(of(origin), origin);
  }
});

const refused: Readonly<Record<string, [untrusted: string, why: RegExp]>> = {
  nothing: ['', /no empty line/],
  'no signature': [text(), /no empty line/],
  'no line below the text': [`${text()}\n`, /does not end|no signature/],
  'a last line that does not end': [note().slice(0, -1), /does not end/],
  'an empty origin': [note(`\n42\n${rootHash}\n`), /origin is empty/],
  'a size that is text': [note(`${name}\nx\n${rootHash}\n`), /tree size/],
  'a size with a zero before it': [note(`${name}\n042\n${rootHash}\n`), /tree size/],
  'a size of 2^53': [note(`${name}\n9007199254740992\n${rootHash}\n`), /tree size/],
  'a negative size': [note(`${name}\n-1\n${rootHash}\n`), /tree size/],
  'a root hash that is short': [note(`${name}\n42\nAAAA\n`), /root hash/],
  'a root hash that is no base64': [note(`${name}\n42\n${rootHash}=\n`), /root hash/],
  'a hyphen in place of the dash': [
    note(text(), line(text()).replace('\u2014', '-')),
    /no signature/,
  ],
  'a name with a plus': [note(text(), line(text(), 'a+b')), /no signature/],
  'a signature of four bytes': [note(text(), `\u2014 ${name} AAAAAA==\n`), /no signature/],
  'a carriage return': [note().replaceAll('\n', '\r\n'), /character/],
  'a zero byte': [note(text(`${name}\0`)), /character/],
  'half a character': [note(text(`${name}\ud800`)), /character/],
  '33 signatures': [note(text(), line(text()).repeat(33)), /more than 32/],
  'more than 16 KiB': [note(text(name.repeat(1000))), /larger than 16384 bytes/],
};

for (const [what, [untrusted, why]] of Object.entries(refused)) {
  t.test(`a checkpoint with ${what} is refused`, async (t) => {
    t.throws(() => readCheckpoint(untrusted), { code: 'LOG_MALFORMED', message: why });
  });
}
