import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { DeniedError, UnavailableError } from '../../../src/gate/gate-error.ts';
import type { ByteRange, TrustedBlob } from '../../../src/gate/trusted-content.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { makeBlob, makeVerdict } from '../../support/fake-gate.ts';
import { makeRouteServer, type RouteServer } from '../../support/route-server.ts';

const bytes = Buffer.from('0123456789');
const digest = digestOf(bytes);
const url = `/v2/demo/app/blobs/${digest}`;
const etag = `"${digest}"`;

const serving = (t: Test, blob: TrustedBlob): RouteServer =>
  makeRouteServer(t, { admitBlob: async () => blob });

for (const atHand of [true, false]) {
  const kind = atHand ? 'a blob at hand' : 'a blob that is streamed';

  t.test(`${kind} is sent whole, with every header that names it`, async (t) => {
    const { server } = serving(t, makeBlob(bytes, { atHand, warnings: ['ends soon'] }));
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 200);
    t.strictSame(answer.rawPayload, bytes);
    t.match(answer.headers, {
      'content-type': 'application/octet-stream',
      'content-length': '10',
      'docker-content-digest': digest,
      etag,
      'cache-control': 'no-cache, no-transform',
      'oci-namespace': 'demo',
      warning: ['299 - "ends soon"'],
    });
    t.notHas(answer.headers, 'content-encoding');
    t.equal(answer.headers['accept-ranges'], atHand ? 'bytes' : undefined);
  });

  t.test(`${kind} has the same headers for HEAD`, async (t) => {
    const { server } = serving(t, makeBlob(bytes, { atHand }));
    const get = await server.inject({ url });
    const head = await server.inject({ method: 'HEAD', url });
    t.equal(head.statusCode, 200);
    t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' });
    t.equal(head.payload, '');
  });

  t.test(`${kind} of no bytes is an answer of no bytes`, async (t) => {
    const empty = makeBlob(Buffer.alloc(0), { atHand });
    const { server } = serving(t, empty);
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await server.inject({ method, url });
      t.equal(answer.statusCode, 200);
      t.equal(answer.headers['content-length'], '0');
      t.equal(answer.payload, '');
    }
    const ranged = await server.inject({ url, headers: { range: 'bytes=0-' } });
    t.equal(ranged.statusCode, 416);
    t.equal(ranged.headers['content-range'], 'bytes */0');
  });

  t.test(`${kind} answers conditions after the gate`, async (t) => {
    const { server } = serving(t, makeBlob(bytes, { atHand }));
    const none = await server.inject({
      url,
      headers: { 'if-none-match': etag, range: 'bytes=0-1' },
    });
    t.equal(none.statusCode, 304);
    t.equal(none.headers.etag, etag);
    t.equal(none.payload, '');
    const failed = await server.inject({ url, headers: { 'if-match': '"other"' } });
    t.equal(failed.statusCode, 412);
  });

  t.test(`${kind} has no part past its end`, async (t) => {
    const { server } = serving(t, makeBlob(bytes, { atHand }));
    for (const range of ['bytes=10-', 'bytes=-0', 'bytes=99-100']) {
      const answer = await server.inject({ url, headers: { range } });
      t.equal(answer.statusCode, 416, range);
      t.equal(answer.headers['content-range'], 'bytes */10');
      t.match(answer.json(), { errors: [{ code: 'SIZE_INVALID' }] });
    }
  });

  t.test(`${kind} is sent whole where a range is not to be heeded`, async (t) => {
    const { server } = serving(t, makeBlob(bytes, { atHand }));
    for (const headers of [
      { range: 'bytes=1-2,4-5' },
      { range: 'bytes=5-3' },
      { range: 'lines=1-2' },
      { range: 'bytes=1-2', 'if-range': '"other"' },
      { range: 'bytes=99-', 'if-range': `W/${etag}` },
    ]) {
      const answer = await server.inject({ url, headers });
      t.equal(answer.statusCode, 200, JSON.stringify(headers));
      t.equal(answer.payload, '0123456789');
      t.notHas(answer.headers, 'content-range');
    }
    const head = await server.inject({ method: 'HEAD', url, headers: { range: 'bytes=99-' } });
    t.equal(head.statusCode, 200, 'a range is for GET alone');
    t.equal(head.headers['content-length'], '10');
  });
}

t.test('a part of a blob at hand is sent with its exact place', async (t) => {
  const { server, counts } = serving(t, makeBlob(bytes, { atHand: true }));
  const rows = [
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=4-99', '456789', 'bytes 4-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
  ] as const;
  for (const [range, part, place] of rows) {
    const answer = await server.inject({ url, headers: { range, 'if-range': etag } });
    t.equal(answer.statusCode, 206, range);
    t.equal(answer.payload, part);
    t.equal(answer.headers['content-range'], place);
    t.equal(answer.headers['content-length'], String(part.length));
    t.equal(answer.headers['docker-content-digest'], digest);
  }
  t.ok(counts.includes('assay_bytes_served_total{"kind":"blob"} 3'));
});

t.test(
  'a blob that is in memory at the moment is sent from there, HEAD reads nothing',
  async (t) => {
    let reads = 0;
    const inMemory = {
      ...makeBlob(bytes, { open: () => Promise.reject(new Error('opened')) }),
      bytesNow() {
        reads += 1;
        return bytes;
      },
    };
    const { server } = makeRouteServer(t, { blobAtHand: () => inMemory });
    t.equal((await server.inject({ method: 'HEAD', url })).headers['content-length'], '10');
    t.equal(reads, 0);
    const whole = await server.inject({ url });
    t.equal(whole.statusCode, 200);
    t.equal(whole.payload, '0123456789');
    const part = await server.inject({ url, headers: { range: 'bytes=-3' } });
    t.equal(part.statusCode, 206);
    t.equal(part.payload, '789');
  },
);

t.test('a blob that is no longer in memory is opened', async (t) => {
  const blob = { ...makeBlob(bytes), bytesNow: () => undefined };
  const { server } = serving(t, blob);
  t.equal((await server.inject({ url })).payload, '0123456789');
});

t.test(
  'a part of what is yet to be fetched is the whole, since a part can not be verified',
  async (t) => {
    const { server } = serving(t, makeBlob(bytes));
    const answer = await server.inject({ url, headers: { range: 'bytes=4-5' } });
    t.equal(answer.statusCode, 200);
    t.equal(answer.payload, '0123456789');
    t.notHas(answer.headers, 'content-range');
  },
);

t.test('a part that the gate can give verified is sent with its exact place', async (t) => {
  const asked: ByteRange[] = [];
  const blob = makeBlob(bytes, {
    async openRange(range) {
      asked.push(range);
      return { stream: Readable.from([bytes.subarray(range.first, range.last + 1)]), range };
    },
  });
  const { server, counts } = serving(t, blob);
  const answer = await server.inject({ url, headers: { range: 'bytes=-3' } });
  t.equal(answer.statusCode, 206);
  t.equal(answer.payload, '789');
  t.match(answer.headers, {
    'content-range': 'bytes 7-9/10',
    'content-length': '3',
    'accept-ranges': 'bytes',
  });
  t.strictSame(asked, [{ first: 7, last: 9 }]);
  await new Promise(setImmediate);
  t.ok(counts.includes('assay_bytes_served_total{"kind":"blob"} 3'));
  const whole = await server.inject({ url });
  t.equal(whole.payload, '0123456789', 'without a range nobody asks for one');
  t.equal(asked.length, 1);
});

t.test('all of it is an answer to a range that can not be verified yet', async (t) => {
  const blob = makeBlob(bytes, {
    openRange: async () => ({ stream: Readable.from([bytes]), range: undefined }),
  });
  const answer = await serving(t, blob).server.inject({ url, headers: { range: 'bytes=4-5' } });
  t.equal(answer.statusCode, 200);
  t.equal(answer.payload, '0123456789');
  t.equal(answer.headers['content-length'], '10');
  t.notHas(answer.headers, 'content-range');
});

t.test('HEAD and 304 open nothing', async (t) => {
  let opened = 0;
  const blob = makeBlob(bytes, {
    open: async () => {
      opened++;
      throw new Error('opened');
    },
  });
  const { server } = serving(t, blob);
  t.equal((await server.inject({ method: 'HEAD', url })).statusCode, 200);
  t.equal((await server.inject({ url, headers: { 'if-none-match': '*' } })).statusCode, 304);
  t.equal((await server.inject({ url, headers: { range: 'bytes=10-' } })).statusCode, 416);
  t.equal(opened, 0);
});

t.test(
  'a manifest asked for as a blob keeps its type, and a layer has none of its own',
  async (t) => {
    const typeOf = async (mediaType: string): Promise<unknown> => {
      const { server } = serving(t, makeBlob(bytes, { atHand: true, mediaType }));
      return (await server.inject({ method: 'HEAD', url })).headers['content-type'];
    };
    t.equal(await typeOf(mediaTypes.ociIndex), mediaTypes.ociIndex);
    t.equal(await typeOf(mediaTypes.dockerManifest), mediaTypes.dockerManifest);
    t.equal(await typeOf(mediaTypes.ociConfig), mediaTypes.octets);
    t.equal(await typeOf('text/html'), mediaTypes.octets);
  },
);

t.test('a blob that the gate does not let through is 403 by every way to ask', async (t) => {
  const denied = new DeniedError(makeVerdict({ reason: 'not-reachable' }), 'not-reachable');
  const { server } = makeRouteServer(t, { admitBlob: () => Promise.reject(denied) });
  for (const method of ['GET', 'HEAD'] as const) {
    for (const headers of [{}, { range: 'bytes=0-0' }, { 'if-none-match': '*' }]) {
      const answer = await server.inject({ method, url, headers });
      t.equal(answer.statusCode, 403);
      t.equal(answer.headers['x-assay-reason'], 'not-reachable (id 7f3a9c)');
    }
  }
});

t.test(
  'an upstream that fails before its first byte is an answer, not a cut connection',
  async (t) => {
    const blob = makeBlob(bytes, {
      open: () => Promise.reject(new UnavailableError('UNAVAILABLE', 'upstream demo is away')),
    });
    const { server } = serving(t, blob);
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 503);
    t.equal(answer.headers['retry-after'], '5');
    t.notHas(answer.headers, 'docker-content-digest');
  },
);

t.test('what was streamed is counted', async (t) => {
  const { server, counts } = serving(t, makeBlob(bytes));
  await server.inject({ url });
  await new Promise(setImmediate);
  t.strictSame(counts, [
    'assay_requests_total{"route":"blobs","method":"GET","status":"200"} 1',
    'assay_bytes_served_total{"kind":"blob"} 10',
  ]);
});
