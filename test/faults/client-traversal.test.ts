import { array, constantFrom, oneof, property, string } from 'fast-check';
import t from 'tap';
import { isDigest } from '../../src/oci/digest.ts';
import { parseReference, type Reference } from '../../src/oci/reference.ts';
import { parseRepositoryPath } from '../../src/oci/repository.ts';
import { resolveName } from '../../src/routes/names.ts';
import { parseTarget, splitTarget } from '../../src/routes/path.ts';
import { parseQuery, singleValue } from '../../src/routes/query.ts';
import { RequestError } from '../../src/routes/request-error.ts';
import { holds } from '../support/holds.ts';
import { exchangeRaw, listen, makeRouteServer, testNames } from '../support/route-server.ts';

/** Path traversal (facts T9): only what the grammars of the specification make ever gets through. */
const digest = `sha256:${'a'.repeat(64)}`;

const hostile = [
  '/v2/..%2f..%2fetc/passwd',
  '/v2/%2e%2e/%2e%2e/etc/manifests/passwd',
  '/v2/demo/..%252f..%252fetc/manifests/1',
  '/v2/demo/../../etc/manifests/passwd',
  '/v2/demo/app/manifests/../../../etc/passwd',
  '/v2/demo/app/manifests/..',
  '/v2/demo/app/blobs/sha256:../../../../etc/passwd',
  `/v2/demo/app/blobs/sha256:${'a'.repeat(61)}/..`,
  `/v2/demo/app/blobs/${digest}/../../x`,
  `/v2/demo/app/blobs/${digest}%00`,
  '/v2/demo\\app/manifests/1',
  '/v2/demo/app%5c..%5cx/manifests/1',
  '/v2/demo/.git/manifests/1',
  '/v2/demo//etc/manifests/passwd',
  '/v2/demo/app/manifests/1;jsessionid=1',
  '/v2/demo/app/manifests/1/',
  '/v2/demo/%E2%80%AE/manifests/1',
  '/v2/demo/\xc0\xae\xc0\xae/manifests/1',
  '//demo/app/manifests/1',
  'http://169.254.169.254/v2/demo/app/manifests/1',
  'file:///etc/passwd',
  `/v2/${'demo/'.repeat(900)}manifests/1`,
  `/v2/demo/app/manifests/${'a'.repeat(5000)}`,
];

t.test(
  'every known way out of the tree is refused on the wire, and the gate is never asked',
  async (t) => {
    let asked = 0;
    const count = async (): Promise<never> => {
      asked++;
      throw new Error('asked');
    };
    const port = await listen(
      makeRouteServer(t, {
        admitManifest: count,
        admitBlob: count,
        admitReferrers: count,
        listTags: count,
      }),
    );
    for (const target of hostile) {
      const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const answer = await exchangeRaw(t, port, request);
      t.match(answer, /^HTTP\/1\.1 4(?:00|04|14) /, JSON.stringify(target.slice(0, 60)));
      t.match(answer, '{"errors":[{"code":"');
    }
    t.equal(asked, 0);
  },
);

const names = ['v2', 'demo', 'docker.io', 'app', 'manifests', 'blobs', 'tags', 'list', 'referrers'];
const dots = ['..', '.', '', '%2e%2e', '%2f', '%252f', '\\', '\0', 'é', '1.0', '..%5c', '#', ';'];
const rest = ['?ns=docker.io', '?ns=..%2f..', '&ns=demo', '_catalog', 'uploads', digest];
const piece = oneof(constantFrom(...names, ...dots, ...rest), string({ maxLength: 12 }));

const paths = oneof(
  array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('/')}`),
  array(piece, { maxLength: 5 }).map((pieces) => `/v2/demo/${pieces.join('/')}`),
  array(piece, { maxLength: 3 }).map((pieces) => `/v2/demo/app${pieces.join('')}/manifests/1`),
  array(piece, { maxLength: 3 }).map((pieces) => `/v2/demo/app/manifests/${pieces.join('')}`),
  string({ maxLength: 200 }),
);

/** What would reach the gate; undefined where the request is refused. */
function read(rawUrl: string) {
  try {
    const { path, query } = splitTarget(rawUrl);
    const target = parseTarget(path);
    if (target.route === 'version') return undefined;
    const namespace = singleValue(parseQuery(query), 'ns');
    const { repository } = resolveName({ name: target.name, namespace, host: 'a' }, testNames);
    return { target, repository };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (![400, 404, 414].includes(error.status)) throw error;
    return undefined;
  }
}

t.test('whatever the path is, only what the grammars make gets through', async (t) => {
  let through = 0;
  await holds(
    t,
    'no path leads past the grammars',
    property(paths, (rawUrl) => {
      const found = read(rawUrl);
      if (found === undefined) return;
      through++;
      const { target, repository } = found;
      if (!testNames.upstreams.has(repository.upstream)) throw new Error('upstream');
      if (parseRepositoryPath(repository.path) === undefined) throw new Error('path');
      if ('digest' in target && !isDigest(target.digest)) throw new Error('digest');
      if ('reference' in target && parseReference(referenceText(target.reference)) === undefined) {
        throw new Error('reference');
      }
      if (/%|\\|\0|[^\x20-\x7e]/.test(rawUrl.replace(/\?.*/, ''))) throw new Error('character');
    }),
  );
  t.ok(through > 0, `${through} of them got through`);
});

function referenceText(reference: Reference): string {
  return 'tag' in reference ? reference.tag : reference.digest;
}
