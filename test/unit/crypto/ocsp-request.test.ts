import t from 'tap';
import { encodeOcspRequest, ocspGetUrl } from '../../../src/crypto/ocsp-request.ts';
import { isIdOf } from '../../../src/crypto/ocsp-certificate-id.ts';
import { expectChildren, readDer } from '../../../src/crypto/der.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';

const { read } = makeRevocationCase();
const [certificate, issuer, root] = read;
const request = encodeOcspRequest(certificate, issuer);

t.test('a request names one certificate by its issuer and number', (t) => {
  const inner = (element: ReturnType<typeof readDer>) => expectChildren(element, 'it')[0];
  let element: ReturnType<typeof readDer> | undefined = readDer(request);
  // OCSPRequest, TBSRequest, requestList, Request, CertID.
  for (let depth = 0; depth < 4; depth += 1) element = element && inner(element);
  t.ok(element !== undefined && isIdOf(element, certificate, issuer));
  t.notOk(element !== undefined && isIdOf(element, issuer, root));
  t.notOk(element !== undefined && isIdOf(element, certificate, root));
  t.end();
});

t.test('it is asked by GET where that is short, with or without a slash at the end', (t) => {
  const url = ocspGetUrl('http://ocsp.example', request) ?? '';
  t.match(url, /^http:\/\/ocsp\.example\/[A-Za-z0-9%]+$/);
  t.equal(ocspGetUrl('http://ocsp.example/', request), url);
  const encoded = decodeURIComponent(new URL(url).pathname.slice(1));
  t.strictSame(Buffer.from(encoded, 'base64'), Buffer.from(request));
  t.equal(ocspGetUrl('http://ocsp.example', new Uint8Array(191)), undefined);
  t.type(ocspGetUrl('http://ocsp.example', new Uint8Array(189)), 'string');
  t.end();
});
