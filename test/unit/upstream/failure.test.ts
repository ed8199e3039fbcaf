import t from 'tap';
import { TooLargeError } from '../../../src/kernel/bounded.ts';
import { JsonError } from '../../../src/kernel/json.ts';
import { classifyFailure, toUpstreamError } from '../../../src/upstream/failure.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';

const coded = (code: string): Error => Object.assign(new Error('what happened'), { code });
const named = (name: string): Error => Object.assign(new Error('what happened'), { name });

const failures: readonly (readonly [unknown, string])[] = [
  [new UpstreamError('UPSTREAM_LEADS_ASTRAY', 'x'), 'UPSTREAM_LEADS_ASTRAY'],
  [new TooLargeError('TOO_LARGE', 'x'), 'UPSTREAM_TOO_LARGE'],
  [new JsonError('JSON_MALFORMED', 'x'), 'UPSTREAM_MISBEHAVED'],
  [new DOMException('x', 'TimeoutError'), 'UPSTREAM_TIMEOUT'],
  [coded('UND_ERR_CONNECT_TIMEOUT'), 'UPSTREAM_TIMEOUT'],
  [coded('UND_ERR_HEADERS_TIMEOUT'), 'UPSTREAM_TIMEOUT'],
  [coded('UND_ERR_BODY_TIMEOUT'), 'UPSTREAM_TIMEOUT'],
  [coded('ETIMEDOUT'), 'UPSTREAM_TIMEOUT'],
  [coded('UND_ERR_HEADERS_OVERFLOW'), 'UPSTREAM_MISBEHAVED'],
  [coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), 'UPSTREAM_MISBEHAVED'],
  [coded('Z_DATA_ERROR'), 'UPSTREAM_MISBEHAVED'],
  [coded('Z_BUF_ERROR'), 'UPSTREAM_MISBEHAVED'],
  [named('HTTPParserError'), 'UPSTREAM_MISBEHAVED'],
  [coded('ECONNREFUSED'), 'UPSTREAM_UNREACHABLE'],
  [coded('ECONNRESET'), 'UPSTREAM_UNREACHABLE'],
  [coded('ENOTFOUND'), 'UPSTREAM_UNREACHABLE'],
  [coded('UND_ERR_SOCKET'), 'UPSTREAM_UNREACHABLE'],
  [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'UPSTREAM_UNREACHABLE'],
  [coded('constructor'), 'UPSTREAM_UNREACHABLE'],
  [new Error('anything'), 'UPSTREAM_UNREACHABLE'],
  ['a text', 'UPSTREAM_UNREACHABLE'],
];
for (const [failure, code] of failures) {
  const { name = '', code: cause = '' } = failure as { name?: string; code?: string };
  t.test(`${name} ${cause} is ${code}, with its cause`, async (t) => {
    t.equal(classifyFailure(failure).code, code);
    const error = toUpstreamError(failure, 'manifest a:b from upstream x');
    t.equal(error.code, code);
    t.match(error.message, /^manifest a:b from upstream x: ./);
    t.equal(error.cause, failure);
  });
}

t.test('when to come again is kept', async (t) => {
  const cause = new UpstreamError('UPSTREAM_RATE_LIMITED', 'x', { retryAfterSeconds: 7 });
  t.equal(toUpstreamError(cause, 'tags').retryAfterSeconds, 7);
});

t.test("a library's text is bounded and printable", async (t) => {
  const { message } = toUpstreamError(new Error(`a\r\nb\u001b[31m${'x'.repeat(5000)}`), 'tags');
  t.match(message, /^[\x20-\x7e]{1,300}$/);
});
