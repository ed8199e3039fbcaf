import t from 'tap';
import { parseVolumeSize, volumeSizes } from '../../../src/airgap/volume-size.ts';

t.test('a preset is a size that fits on its medium', async (t) => {
  t.equal(parseVolumeSize('cd'), 650_000_000);
  t.equal(parseVolumeSize('fat32'), 4_294_901_760);
  t.ok((parseVolumeSize('dvd') ?? Infinity) < 4_700_000_000);
  t.ok((parseVolumeSize('bd25') ?? Infinity) < 25_025_314_816);
  t.ok(Object.values(volumeSizes).every(Number.isSafeInteger));
});

t.test('a size is a number and a unit', async (t) => {
  t.equal(parseVolumeSize('4GiB'), 4 * 1024 ** 3);
  t.equal(parseVolumeSize('650 MB'), 650e6);
  t.equal(parseVolumeSize('8192B'), 8192);
  t.equal(parseVolumeSize('1TiB'), 1024 ** 4);
});

for (const text of [
  '',
  '4',
  '4 gib',
  'blu-ray',
  '-1GiB',
  '1.5GiB',
  '8191B',
  '0KiB',
  'toString',
  '99999TiB ',
]) {
  t.test(`${JSON.stringify(text)} is none`, async (t) => {
    t.equal(parseVolumeSize(text), undefined);
  });
}
