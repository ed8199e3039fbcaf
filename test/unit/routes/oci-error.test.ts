import t from 'tap';
import { DeniedError, NotFoundError, UnavailableError } from '../../../src/gate/gate-error.ts';
import { JsonError } from '../../../src/kernel/json.ts';
import { MalformedError } from '../../../src/oci/malformed-error.ts';
import { type OciFailure, toOciFailure } from '../../../src/routes/oci-error.ts';
import { RequestError } from '../../../src/routes/request-error.ts';
import { reasons } from '../../../src/verdict/reason.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { makeVerdict } from '../../support/fake-gate.ts';

const context = { requestId: 'req-1', reference: undefined, publicUrl: 'https://proxy.example' };
const inconclusive = makeVerdict({ kind: 'inconclusive', reason: 'revocation-unknown' });

const rows: readonly (readonly [string, unknown, OciFailure])[] = [
  [
    'untrusted',
    new DeniedError(makeVerdict(), 'unsigned'),
    {
      status: 403,
      code: 'DENIED',
      message:
        'requested access to the resource is denied: unsigned (no signature was found) ' +
        'id=7f3a9c https://proxy.example/v1/verdicts/7f3a9c',
      detail: reasons.unsigned.remedy,
      reason: 'unsigned (id 7f3a9c)',
    },
  ],
  [
    'a manifest that is not there',
    new NotFoundError('MANIFEST_UNKNOWN', 'no such tag'),
    { status: 404, code: 'MANIFEST_UNKNOWN', message: 'no such tag' },
  ],
  [
    'a blob that is not there',
    new NotFoundError('BLOB_UNKNOWN', 'no such blob'),
    { status: 404, code: 'BLOB_UNKNOWN', message: 'no such blob' },
  ],
  [
    'a repository that is not there',
    new NotFoundError('NAME_UNKNOWN', 'no such name'),
    { status: 404, code: 'NAME_UNKNOWN', message: 'no such name' },
  ],
  [
    'inconclusive',
    new UnavailableError('UNAVAILABLE', 'revocation is not known', {
      verdict: inconclusive,
      retryAfterSeconds: 30,
    }),
    {
      status: 503,
      code: 'UNAVAILABLE',
      message: 'revocation is not known id=7f3a9c',
      detail: reasons['revocation-unknown'].remedy,
      reason: 'revocation-unknown (id 7f3a9c)',
      retryAfterSeconds: 30,
    },
  ],
  [
    'upstream away or limiting us',
    new UnavailableError('UNAVAILABLE', 'upstream ghcr.io answered 429', {
      retryAfterSeconds: 2.2,
    }),
    {
      status: 503,
      code: 'UNAVAILABLE',
      message: 'upstream ghcr.io answered 429',
      retryAfterSeconds: 3,
    },
  ],
  [
    'upstream that refuses our credentials',
    new UnavailableError('BAD_UPSTREAM', 'ghcr.io refuses the credentials'),
    {
      status: 502,
      code: 'UNAVAILABLE',
      message: 'ghcr.io refuses the credentials',
      retryAfterSeconds: 5,
    },
  ],
  [
    'a malformed digest',
    new MalformedError('DIGEST_MALFORMED', 'no digest'),
    { status: 400, code: 'DIGEST_INVALID', message: 'no digest' },
  ],
  [
    'a malformed name',
    new MalformedError('NAME_MALFORMED', 'no name'),
    { status: 400, code: 'NAME_INVALID', message: 'no name' },
  ],
  [
    'a malformed manifest',
    new MalformedError('MANIFEST_MALFORMED', 'no manifest'),
    { status: 400, code: 'MANIFEST_INVALID', message: 'no manifest' },
  ],
  [
    'a request refused',
    new RequestError(405, 'UNSUPPORTED', 'read-only', { Allow: 'GET, HEAD' }),
    { status: 405, code: 'UNSUPPORTED', message: 'read-only', headers: { Allow: 'GET, HEAD' } },
  ],
];

for (const [what, error, failure] of rows) {
  t.test(`${what} is ${failure.status} ${failure.code}`, async (t) => {
    t.strictSame(toOciFailure(error, context), failure);
  });
}

t.test('anything else is 500 without its text', async (t) => {
  for (const error of [
    new TypeError('secret path'),
    'secret path',
    undefined,
    Object.assign(new Error('secret path'), { code: 'DENIED', status: 200 }),
  ]) {
    t.strictSame(toOciFailure(error, context), {
      status: 500,
      code: 'UNKNOWN',
      message: 'internal error; the log has it as request req-1',
    });
  }
});

t.test('what nobody foresaw and is no mistake of ours is 503, without its text', async (t) => {
  for (const error of [
    new StorageError('STORAGE_FAILED', 'secret path'),
    new JsonError('JSON_MALFORMED', 'secret path'),
    Object.assign(new Error('secret path'), { code: 'ECONNRESET' }),
    new DOMException('secret path', 'TimeoutError'),
  ]) {
    t.strictSame(toOciFailure(error, context), {
      status: 503,
      code: 'UNAVAILABLE',
      message: 'it could not be found out; the log has it as request req-1',
      retryAfterSeconds: 5,
    });
  }
});

t.test('Retry-After is at least a second and at most an hour', async (t) => {
  const after = (retryAfterSeconds: number) =>
    toOciFailure(new UnavailableError('UNAVAILABLE', 'x', { retryAfterSeconds }), context)
      .retryAfterSeconds;
  t.equal(after(0), 1);
  t.equal(after(-5), 1);
  t.equal(after(1e9), 3600);
});
