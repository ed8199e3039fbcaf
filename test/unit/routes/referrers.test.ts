import t from 'tap';
import { DeniedError, NotFoundError } from '../../../src/gate/gate-error.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { makeReferrers, makeVerdict } from '../../support/fake-gate.ts';
import { makeRouteServer } from '../../support/route-server.ts';

const digest = digestOf(Buffer.from('subject'));
const url = `/v2/demo/app/referrers/${digest}`;

function referrer(index: number, artifactType?: string, padding = 0): Descriptor {
  return {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(Buffer.from(`referrer ${index}`)),
    size: 100 + index,
    ...(artifactType !== undefined && { artifactType }),
    annotations: { index: String(index), padding: 'x'.repeat(padding) },
  };
}

interface IndexAnswer {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

const serving = (t: Parameters<typeof makeRouteServer>[0], descriptors: readonly Descriptor[]) =>
  makeRouteServer(t, { admitReferrers: async () => makeReferrers(descriptors) });

t.test('referrers are an image index with the descriptors as the gate gave them', async (t) => {
  const descriptors = [referrer(1, 'application/a'), referrer(2)];
  const { server } = serving(t, descriptors);
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], mediaTypes.ociIndex);
  t.equal(answer.headers['oci-namespace'], 'demo');
  t.notHas(answer.headers, 'oci-filters-applied');
  t.notHas(answer.headers, 'link');
  const index = answer.json<IndexAnswer>();
  t.equal(index.schemaVersion, 2);
  t.equal(index.mediaType, mediaTypes.ociIndex);
  t.strictSame(new Set(index.manifests), new Set(descriptors));
});

t.test('none, or of nothing, is an empty index and never 404', async (t) => {
  const absent = (code: 'MANIFEST_UNKNOWN' | 'NAME_UNKNOWN') =>
    makeRouteServer(t, { admitReferrers: () => Promise.reject(new NotFoundError(code, 'none')) });
  for (const { server } of [serving(t, []), absent('MANIFEST_UNKNOWN'), absent('NAME_UNKNOWN')]) {
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 200);
    t.strictSame(answer.json(), {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [],
    });
  }
});

t.test('a digest that is none is 400, an upstream that is none 404', async (t) => {
  const { server } = serving(t, []);
  t.equal((await server.inject({ url: '/v2/demo/app/referrers/sha256:x' })).statusCode, 400);
  t.equal((await server.inject({ url: `/v2/none/app/referrers/${digest}` })).statusCode, 404);
});

t.test('a denial stays one', async (t) => {
  const denied = new DeniedError(makeVerdict(), 'unsigned');
  const { server } = makeRouteServer(t, { admitReferrers: () => Promise.reject(denied) });
  t.equal((await server.inject({ url })).statusCode, 403);
});

t.test('artifactType filters, several are a union, and the answer says so', async (t) => {
  const [a, b, c] = [referrer(1, 'application/a'), referrer(2, 'application/b+json'), referrer(3)];
  const { server } = serving(t, [a, b, c]);
  const get = async (query: string): Promise<readonly [unknown, ReadonlySet<string>]> => {
    const answer = await server.inject({ url: `${url}?${query}` });
    const { manifests } = answer.json<IndexAnswer>();
    return [answer.headers['oci-filters-applied'], new Set(manifests.map((m) => m.digest))];
  };
  t.strictSame(await get('artifactType=application/a'), ['artifactType', new Set([a.digest])]);
  t.strictSame(await get('artifactType=application%2Fb%2Bjson'), [
    'artifactType',
    new Set([b.digest]),
  ]);
  t.strictSame(await get('artifactType=application/b+json'), ['artifactType', new Set([b.digest])]);
  t.strictSame(await get('artifactType=application/a&artifactType=application/b%2Bjson'), [
    'artifactType',
    new Set([a.digest, b.digest]),
  ]);
  t.strictSame(await get('artifactType=none'), ['artifactType', new Set()]);
  t.strictSame(await get('artifactType='), [undefined, new Set([a.digest, b.digest, c.digest])]);
});

t.test(
  'following the links lists every referrer once, whichever bound cuts the pages',
  async (t) => {
    const many = Array.from({ length: 2500 }, (_, index) => referrer(index, 'application/a'));
    const large = Array.from({ length: 12 }, (_, index) =>
      referrer(index, 'application/a', 1024 * 1024),
    );
    for (const [descriptors, leastPages] of [
      [many, 3],
      [large, 4],
    ] as const) {
      const { server } = serving(t, descriptors);
      const seen: string[] = [];
      let pages = 0;
      let next: string | undefined =
        `/v2/app/referrers/${digest}?ns=demo&artifactType=application/a`;
      while (next !== undefined && pages < 10) {
        const answer = await server.inject({ url: next });
        t.ok(answer.rawPayload.byteLength <= 4 * 1024 * 1024);
        seen.push(...answer.json<IndexAnswer>().manifests.map((m) => m.digest));
        const link = answer.headers.link as string | undefined;
        if (link !== undefined) t.match(link, 'artifactType=application%2Fa&last=sha256%3A');
        if (link !== undefined) t.match(link, /&ns=demo>; rel="next"$/);
        next = link === undefined ? undefined : /^<(.+)>/.exec(link)?.[1];
        pages++;
      }
      t.ok(pages >= leastPages, `${pages} pages`);
      t.equal(seen.length, descriptors.length);
      t.equal(new Set(seen).size, descriptors.length);
    }
  },
);

t.test('HEAD has the headers of GET', async (t) => {
  const { server } = serving(t, [referrer(1)]);
  const get = await server.inject({ url });
  const head = await server.inject({ method: 'HEAD', url });
  t.equal(head.payload, '');
  t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' });
});
