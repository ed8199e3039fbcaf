import t from 'tap';
import { signatureFormats } from '../../../src/formats/index.ts';

t.test('the formats are listed, each with its own id and checks', async (t) => {
  const ids = signatureFormats.map(({ id }) => id);
  t.strictSame(ids, [
    'notation-jws',
    'notation-cose',
    'sigstore-bundle',
    'cosign-simple-signing',
    'dsse-attestation',
  ]);
  for (const { checks } of signatureFormats) {
    const checkIds = checks.map(({ id }) => id);
    t.equal(new Set(checkIds).size, checkIds.length, 'no id twice');
  }
});
