import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { AirgapError } from '../../src/airgap/airgap-error.ts';
import { formatBlobRecord, readBlobRecords } from '../../src/airgap/blob-index.ts';
import { readBundleDocument, writeBundleDocument } from '../../src/airgap/bundle-document.ts';
import { readRole, signersOf } from '../../src/airgap/metadata-model.ts';
import { makeTargets, makeTimestamp, signMetadata } from '../../src/airgap/metadata-signing.ts';
import { parseVolumeHeader, writeVolumeHeader } from '../../src/airgap/volume-header.ts';
import { readVolumeList, writeVolumeList } from '../../src/airgap/volume-list.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { allOf, documentOf, inPieces, stream, volumesOf } from '../support/airgap-kit.ts';
import { holds } from '../support/holds.ts';
import { jsonMutationsOf } from '../support/json-mutations-of.ts';
import { rootsOf, signerOf } from '../support/metadata-kit.ts';
import { mutationsOf } from '../support/mutations-of.ts';

const { signal } = new AbortController();
const chunk = digestOf(Buffer.from('chunk'));
const owner = { stream, sequence: 7 };
const version = { version: 7, expires: new Date('2031-01-01T00:00:00Z') };
const target = { path: 'bundle.json', length: 3, sha256: 'ab'.repeat(32) };
const [root] = await rootsOf({});
const targets = await signMetadata(makeTargets(version, [target]), [signerOf('targets')], signal);
const timestamp = await signMetadata(makeTimestamp(version, root), [signerOf('timestamp')], signal);

/** Whatever is wrong with it is an `AirgapError`. */
function tryRead(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof AirgapError)) throw error;
  }
}

const trusted = readRole('root', root);
const documents: Readonly<
  Record<string, readonly [bytes: Uint8Array, read: (bytes: Uint8Array) => unknown]>
> = {
  'bundle.json': [writeBundleDocument(documentOf()), readBundleDocument],
  'volumes.json': [
    writeVolumeList({
      chunkBytes: 4096,
      volumes: [{ number: 1, name: `${stream}-7-0001.vol`, bytes: 4097, chunks: [chunk, chunk] }],
    }),
    (bytes) => readVolumeList(bytes, owner),
  ],
  'root metadata': [root, (bytes) => signersOf(trusted, readRole('root', bytes))],
  'targets metadata': [targets, (bytes) => signersOf(trusted, readRole('targets', bytes))],
  'timestamp metadata': [timestamp, (bytes) => signersOf(trusted, readRole('timestamp', bytes))],
  'a volume header': [writeVolumeHeader({ ...owner, volume: 1 }), parseVolumeHeader],
};

for (const [name, [bytes, read]] of Object.entries(documents)) {
  t.test(`${name} is read or refused by name, whatever its bytes`, async (t) => {
    await holds(
      t,
      'some bytes changed',
      fc.property(mutationsOf(bytes), (changed) => tryRead(() => read(changed))),
    );
    if (name === 'a volume header') return;
    await holds(
      t,
      'some members changed',
      fc.property(jsonMutationsOf(bytes), (changed) => tryRead(() => read(changed))),
    );
  });
}

t.test('no change of signed metadata leaves the signature standing', async (t) => {
  const signed = (bytes: Uint8Array): unknown => {
    const { signed: inside } = JSON.parse(Buffer.from(bytes).toString()) as { signed: unknown };
    return inside;
  };
  await holds(
    t,
    'a change of members',
    fc.property(jsonMutationsOf(timestamp), (changed) => {
      tryRead(() => {
        const stands = signersOf(trusted, readRole('timestamp', changed)).length > 0;
        if (stands && !isDeepStrictEqual(signed(changed), signed(timestamp)))
          throw new Error('it stands');
      });
    }),
  );
});

t.test('an index is read or refused by name, whatever its bytes', async (t) => {
  const records = [
    { digest: chunk, size: 900, extents: [{ volume: 1, offset: 4096, length: 900 }] },
    { digest: chunk, size: 7, extents: undefined },
  ];
  const index = Buffer.from(records.map(formatBlobRecord).join(''));
  await holds(
    t,
    'some bytes changed',
    fc.asyncProperty(mutationsOf(index), fc.integer({ min: 1, max: 300 }), async (bytes, size) => {
      await allOf(readBlobRecords(inPieces(bytes, size), volumesOf(4996))).catch(
        (error: unknown) => {
          if (!(error instanceof AirgapError)) throw error;
        },
      );
    }),
  );
});
