import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import { findFulcioPath } from '../../../../src/trust/sigstore/fulcio-path.ts';
import { readTrustedRoot } from '../../../../src/trust/sigstore/trusted-root.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { authorityEntry, trustedRootJson } from '../../../support/trusted-root.ts';

const validFor = { start: '2029-01-01T00:00:00Z', end: '2030-01-01T00:00:00Z' };
const of = (...entries: readonly Readonly<Record<string, unknown>>[]) =>
  readTrustedRoot(trustedRootJson({ certificateAuthorities: entries })).certificateAuthorities;
const authorities = of(authorityEntry('acme', { validFor }));
const leaf = readCertificate(makeChain({ authority: 'acme' }).leaf.der);
const at = (time: string): Date => new Date(time);

t.test('an authority counts within its validity, both ends included', async (t) => {
  const found = { kind: 'found' };
  t.match(findFulcioPath(leaf, authorities, [at(validFor.start)]), found);
  t.match(findFulcioPath(leaf, authorities, [at(validFor.start), at(validFor.end)]), found);
  const outside = { kind: 'none', because: /^https:\/\/fulcio.acme.test is not trusted at 2030/ };
  t.match(findFulcioPath(leaf, authorities, [at('2030-01-01T00:00:00.001Z')]), outside);
  const both = [at(validFor.start), at('2030-06-01T00:00:00Z')] as const;
  t.match(findFulcioPath(leaf, authorities, both), outside, 'at every one of the times');
});

t.test('one of several authorities is enough, and all reasons are told', async (t) => {
  const time = [at(validFor.end)] as const;
  const several = of(authorityEntry('other'), authorityEntry('acme', { validFor }));
  t.match(findFulcioPath(leaf, several, time), { kind: 'found' });
  const later = [at('2031-01-01T00:00:00Z')] as const;
  const because = /^no trusted authority issued .*; https:\/\/fulcio.acme.test is not trusted at/;
  t.match(findFulcioPath(leaf, several, later), { kind: 'none', because });
});

t.test('without an authority there is no path', async (t) => {
  const because = 'the trusted root has no certificate authority';
  t.strictSame(findFulcioPath(leaf, [], [at(validFor.end)]), { kind: 'none', because });
});

t.test('an issuer whose time is over is not let in by the next one under its anchor', async (t) => {
  const next = { subject: 'C=US, ST=WA, O=acme, CN=acme issuer 2', key: 'EC-384' } as const;
  const renewed = makeChain({ authority: 'acme', intermediate: { 0: next } }).ders.slice(1);
  const certificates = renewed.map((der) => ({ rawBytes: Buffer.from(der).toString('base64') }));
  const after = authorityEntry('acme', {
    uri: 'https://fulcio-2.acme.test',
    certChain: { certificates },
    validFor: { start: validFor.end },
  });
  const both = of(authorityEntry('acme', { validFor }), after);
  const later = [at('2030-06-01T00:00:00Z')] as const;
  const [, issuer] = makeChain({ authority: 'acme' }).ders.map(readCertificate);
  const because = /acme.test is not trusted at 2030.*; its issuer is not the one that .*fulcio-2/;
  const cameAlong = [issuer ?? leaf];
  t.match(findFulcioPath(leaf, both, later, cameAlong), { kind: 'none', because });
  t.match(findFulcioPath(leaf, of(after), later, cameAlong), { kind: 'none' }, 'nor if it is gone');
  const own = readCertificate(makeChain({ authority: 'acme', intermediate: { 0: next } }).leaf.der);
  t.match(findFulcioPath(own, both, later), { kind: 'found' });
});

t.test('certificates that came along help on the way, and are no authorities', async (t) => {
  const time = [at(validFor.end)] as const;
  const chain = makeChain({ authority: 'acme' }).ders.map(readCertificate);
  const rootOnly = authorities.map((authority) => {
    const [last] = authority.chain.slice(-1);
    return { ...authority, chain: [last ?? authority.chain[0]] as const };
  });
  t.match(findFulcioPath(leaf, rootOnly, time), { kind: 'none' });
  t.match(findFulcioPath(leaf, rootOnly, time, chain.slice(1)), { kind: 'found' });
  t.match(findFulcioPath(leaf, of(authorityEntry('other')), time, chain.slice(1)), {
    kind: 'none',
  });
});
