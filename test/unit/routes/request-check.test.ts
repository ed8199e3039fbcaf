import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { checkRequest } from '../../../src/routes/request-check.ts';

function request(overrides: {
  method?: string;
  headers?: Record<string, string>;
  rawHeaders?: readonly string[];
  httpVersion?: string;
}): IncomingMessage {
  const rawHeaders = ['Host', 'a', 'Accept', '*/*'];
  return {
    method: 'GET',
    headers: {},
    rawHeaders,
    httpVersion: '1.1',
    ...overrides,
  } as IncomingMessage;
}

t.test('GET and HEAD without a body pass', async (t) => {
  t.equal(checkRequest(request({})), undefined);
  t.equal(checkRequest(request({ method: 'HEAD' })), undefined);
  t.equal(checkRequest(request({ headers: { 'content-length': '0' } })), undefined);
});

t.test('every other method is 405, says which are allowed, and ends the connection', async (t) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'get']) {
    t.match(
      checkRequest(request({ method })),
      { status: 405, code: 'UNSUPPORTED', headers: { Allow: 'GET, HEAD', Connection: 'close' } },
      method,
    );
  }
});

t.test('a body in any framing is 400 and ends the connection', async (t) => {
  const refused = { status: 400, code: 'UNSUPPORTED', headers: { Connection: 'close' } };
  for (const headers of [
    { 'content-length': '1' },
    { 'content-length': '00' },
    { 'content-length': '' },
    { 'transfer-encoding': 'chunked' },
    { 'transfer-encoding': '' },
  ]) {
    t.match(checkRequest(request({ headers })), refused, JSON.stringify(headers));
  }
});

t.test('HTTP/1.1 has one Host, HTTP/1.0 at most one', async (t) => {
  const refused = { status: 400, code: 'UNSUPPORTED', headers: { Connection: 'close' } };
  t.match(checkRequest(request({ rawHeaders: [] })), refused);
  t.match(checkRequest(request({ rawHeaders: ['Host', 'a', 'hOST', 'b'] })), refused);
  t.equal(checkRequest(request({ rawHeaders: [], httpVersion: '1.0' })), undefined);
  t.match(
    checkRequest(request({ rawHeaders: ['Host', 'a', 'Host', 'a'], httpVersion: '1.0' })),
    refused,
  );
  t.equal(checkRequest(request({ rawHeaders: ['Xost', 'Host', 'Host', 'a'] })), undefined);
});
