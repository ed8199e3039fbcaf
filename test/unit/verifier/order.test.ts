import t from 'tap';
import type { SignatureFormat } from '../../../src/formats/signature-format.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { inOrder } from '../../../src/verifier/order.ts';
import type { Lead } from '../../../src/verifier/places.ts';
import { makeTrust } from '../../support/notation-case.ts';

const notation = {
  artifactTypes: ['notation'],
  hints: () => [({ by }: Readonly<Record<string, string>>) => by === 'alice'],
} as unknown as SignatureFormat;
const cosign = { artifactTypes: ['cosign'] } as unknown as SignatureFormat;

type Claims = Partial<Pick<Lead, 'artifactType' | 'annotations' | 'isTagged'>>;

const lead = (name: string, claims: Claims): Lead => ({
  path: name as RepositoryPath,
  digest: digestOf(Buffer.from(name)),
  isTagged: false,
  ...claims,
});

const bare = lead('bare', {});
const stranger = lead('stranger', { annotations: { by: 'mallory' }, artifactType: 'other' });
const signature = lead('signature', { artifactType: 'notation' });
const another = lead('another', { artifactType: 'cosign', annotations: {} });
const hinted = lead('hinted', { annotations: { by: 'alice' } });
const tagged = lead('tagged', { isTagged: true });

const ordered = (leads: readonly Lead[], formats = [notation, cosign]): readonly string[] =>
  inOrder(leads, formats, [], makeTrust({})).map(({ path }) => path);

t.test('what lies under a tag comes first, then hints, then types, then the rest', async (t) => {
  const found = [bare, stranger, signature, another, hinted, tagged];
  t.strictSame(ordered(found), ['tagged', 'hinted', 'signature', 'another', 'bare', 'stranger']);
});

t.test('alike ones stay in the order of the list, and nothing is dropped', async (t) => {
  t.strictSame(ordered([another, bare, signature]), ['another', 'signature', 'bare']);
  t.strictSame(ordered([bare, tagged, hinted], []), ['tagged', 'bare', 'hinted']);
  t.strictSame(ordered([]), []);
});
