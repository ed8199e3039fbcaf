import t from 'tap';
import { signAwsRequest } from '../../../src/key-references/aws-signature.ts';

const at = new Date('2015-08-30T12:36:00Z');
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const vanilla = {
  method: 'GET',
  url: new URL('https://example.amazonaws.com/'),
  headers: {},
  body: Buffer.alloc(0),
  region: 'us-east-1',
  service: 'service',
} as const;
const keyRequest = {
  method: 'POST',
  url: new URL('https://kms.us-east-1.amazonaws.com/'),
  headers: {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'TrentService.GetPublicKey',
  },
  body: Buffer.from('{"KeyId":"alias/acme"}'),
  region: 'us-east-1',
  service: 'kms',
} as const;

t.test("AWS's own examples come out (its Signature Version 4 test suite)", async (t) => {
  const scope = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request';
  const signed = (signature: string) => ({
    authorization: `${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    headers: { 'x-amz-date': '20150830T123600Z' },
  });
  t.same(
    signAwsRequest(vanilla, credentials, at),
    signed('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'),
    'get-vanilla',
  );
  t.same(
    signAwsRequest({ ...vanilla, method: 'POST' }, credentials, at),
    signed('5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'),
    'post-vanilla',
  );
});

t.test('a request for a key is signed as botocore signs it', async (t) => {
  const temporary = { ...credentials, sessionToken: 'SESSION' };
  const { authorization, headers } = signAwsRequest(keyRequest, temporary, at);
  t.equal(
    authorization,
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, ' +
      'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, ' +
      'Signature=d50656e3eef965ee09458d2c055c50940ea09c7e9f9804024da2cf9889babcd1',
  );
  t.same(headers, {
    ...keyRequest.headers,
    'x-amz-date': '20150830T123600Z',
    'x-amz-security-token': 'SESSION',
  });
});

t.test('whatever is changed has another signature', async (t) => {
  const requests = [
    keyRequest,
    { ...keyRequest, method: 'GET' as const },
    { ...keyRequest, url: new URL('https://kms.example/') },
    { ...keyRequest, headers: { ...keyRequest.headers, 'x-amz-target': 'TrentService.Sign' } },
    { ...keyRequest, body: Buffer.from('{"KeyId":"alias/other"}') },
    { ...keyRequest, region: 'us-east-2' },
    { ...keyRequest, service: 'iam' },
  ];
  const signatures = [
    ...requests.map((request) => signAwsRequest(request, credentials, at)),
    signAwsRequest(keyRequest, { ...credentials, secretAccessKey: 'another' }, at),
    signAwsRequest(keyRequest, credentials, new Date('2015-08-30T12:36:01Z')),
  ].map(({ authorization }) => authorization.replace(/^.*Signature=/, ''));
  t.equal(new Set(signatures).size, 9);
});
