import t from 'tap';
import { renderExport } from '../../../src/cli/render-export.ts';
import type { ExportedImage } from '../../../src/compose/airgap-exporting.ts';
import type { Digest } from '../../../src/oci/digest.ts';

const plain = (_colour: unknown, text: string): string => text;
const trusted: ExportedImage = {
  reference: 'reg/app:v1',
  outcome: 'trusted',
  digest: 'sha256:1' as Digest,
  warnings: ['this tag may have moved'],
};
const unproven: ExportedImage = {
  reference: 'reg/app:v2',
  outcome: 'unproven',
  because: 'unsigned: there is no signature',
  warnings: [],
};

t.test('what was written is told with its number, its size and how fresh it is', async (t) => {
  const bundle = {
    stream: 'abc',
    sequence: 2,
    base: 1,
    volumes: 3,
    carried: { contents: 5, bytes: 2048 },
    assumed: { contents: 2, bytes: 1024 },
    trustFiles: 1,
    revocationAsOf: '2030-01-01T00:00:00.000Z',
  };
  t.equal(
    renderExport({ outcome: 'written', images: [trusted], bundle }, plain),
    [
      'trusted  reg/app:v1  sha256:1',
      '         this tag may have moved',
      'bundle 2 of stream abc, since bundle 1',
      '  2.0 KiB in 3 volumes; 1.0 KiB are taken to be there',
      '  1 file of trust material',
      '  revocation data as of 2030-01-01T00:00:00.000Z',
    ].join('\n'),
  );
});

t.test('what was not written is told with the reason of each image', async (t) => {
  t.equal(
    renderExport({ outcome: 'refused', images: [trusted, unproven] }, plain),
    [
      'trusted  reg/app:v1  sha256:1',
      '         this tag may have moved',
      'unproven reg/app:v2  unsigned: there is no signature',
      'nothing was written: 1 of 2 images can not go along',
    ].join('\n'),
  );
});

t.test('what was left out is counted, and what was there before is said so', async (t) => {
  const left = renderExport({ outcome: 'written', images: [trusted, unproven] }, plain);
  t.match(left, /\n1 of 2 images left out$/);
  const bundle = { stream: 'abc', sequence: 2 };
  t.equal(
    renderExport({ outcome: 'written-before', images: [], bundle }, plain),
    'bundle 2 of stream abc\nit was written before',
  );
});
