import t from 'tap';
import { thumbprintHint } from '../../../../src/formats/notation/thumbprint-hint.ts';
import type { IdentityRequirement } from '../../../../src/verdict/identity-requirement.ts';
import { buildImage } from '../../../support/build-image.ts';
import { makeCase, makeTrust } from '../../../support/notation-case.ts';
import { makeChain } from '../../../support/test-ca.ts';

const chain = makeChain({ authority: 'acme' });
const other = makeChain({ authority: 'other' });
const { requirement } = makeCase({ of: buildImage().descriptor, chain });
const trust = makeTrust({ 'ca:acme': [chain.root.der], 'ca:other': [other.root.der] });
const hint = thumbprintHint([requirement], trust);
const { fingerprint } = chain.root;
const annotated = (text: string) => ({ 'io.cncf.notary.x509chain.thumbprint#S256': text });

t.test('a chain that ends in an anchor of the identity is hinted, in either case', async (t) => {
  t.equal(hint(annotated(JSON.stringify(['00', fingerprint]))), true);
  t.equal(hint(annotated(JSON.stringify([fingerprint.toUpperCase()]))), true);
});

t.test('an anchor of a store that no identity refers to is no hint', async (t) => {
  t.equal(hint(annotated(JSON.stringify([other.root.fingerprint]))), false);
});

t.test('what is no list of texts is no hint, and no error', async (t) => {
  const texts = ['', '{', '{}', '[1]', 'null', `"${fingerprint}"`, fingerprint, '[['.repeat(100)];
  for (const text of texts) t.equal(hint(annotated(text)), false, text);
  t.equal(hint({}), false);
  t.equal(hint(annotated(`["${fingerprint}"${' '.repeat(8 * 1024)}]`)), false, 'nor is a long one');
});

t.test('identities of other families have no anchors', async (t) => {
  const sigstore = { family: 'sigstore', name: 'x' } as IdentityRequirement;
  t.equal(thumbprintHint([sigstore], trust)(annotated(`["${fingerprint}"]`)), false);
});
