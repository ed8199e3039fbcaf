import t from 'tap';
import {
  describeHeader,
  isSameHeader,
  parseVolumeHeader,
  volumeHeaderBytes,
  writeVolumeHeader,
} from '../../../src/airgap/volume-header.ts';
import { stream } from '../../support/airgap-kit.ts';

const header = { stream, sequence: 7, volume: 12 };

t.test('a header is read as it was written', async (t) => {
  const bytes = writeVolumeHeader(header);
  t.equal(bytes.length, volumeHeaderBytes);
  t.strictSame(parseVolumeHeader(bytes), header);
  t.strictSame(parseVolumeHeader(Buffer.concat([bytes, Buffer.from('content')])), header);
  t.equal(describeHeader(header), `volume 12 of bundle 7 of stream "${stream}"`);
});

t.test('headers are the same in all three or not at all', async (t) => {
  t.ok(isSameHeader(header, { ...header }));
  for (const other of [{ stream: 'f'.repeat(32) }, { sequence: 8 }, { volume: 1 }]) {
    t.notOk(isSameHeader(header, { ...header, ...other }));
  }
});

t.test('anything else is none', async (t) => {
  const bytes = writeVolumeHeader(header);
  t.equal(parseVolumeHeader(bytes.subarray(0, 4095)), undefined);
  for (const [from, to] of [
    ['ASSAY', 'ASSAX'],
    ['VOLUME 1', 'VOLUME 2'],
    ['sequence 7', 'sequence x'],
    ['volume 12\n\0', 'volume 12\n.'],
  ] as const) {
    const text = bytes.toString('latin1').replace(from, to);
    t.equal(parseVolumeHeader(Buffer.from(text, 'latin1')), undefined, to);
  }
});
