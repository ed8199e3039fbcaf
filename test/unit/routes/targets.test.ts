import t from 'tap';
import { RequestError } from '../../../src/routes/request-error.ts';
import { makeTargets } from '../../../src/routes/targets.ts';
import { testNames } from '../../support/route-server.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const noRoute = (): void => undefined;

t.test('what was read is at hand under the same text, and means the same', async (t) => {
  const targets = makeTargets(testNames);
  for (const [rawUrl, route] of [
    ['/v2/demo/app/manifests/1.0', 'manifests'],
    [`/v2/demo/app/manifests/${digest}?ns=demo`, 'manifests'],
    [`/v2/demo/app/blobs/${digest}`, 'blobs'],
  ] as const) {
    t.equal(targets.atHand(rawUrl, 'a'), undefined);
    const read = targets.read(rawUrl, 'a', noRoute);
    t.match(read, { route, named: { repository: { upstream: 'demo', path: 'app' } } });
    t.equal(targets.atHand(rawUrl, 'a'), read);
  }
});

t.test('under another host the same text is another question', async (t) => {
  const targets = makeTargets(testNames);
  const rawUrl = '/v2/library/nginx/manifests/1';
  const read = targets.read(rawUrl, 'hub.test', noRoute);
  t.match(read, { named: { repository: { upstream: 'docker.io', path: 'library/nginx' } } });
  t.equal(targets.atHand(rawUrl, 'other.test'), undefined);
  t.equal(targets.atHand(rawUrl, undefined), undefined);
  t.throws(() => targets.read(rawUrl, 'other.test', noRoute), { code: 'NAME_UNKNOWN' });
  t.equal(targets.atHand(rawUrl, 'hub.test'), read);
});

t.test('where no host has a meaning, all hosts ask the same', async (t) => {
  const targets = makeTargets({ ...testNames, hosts: new Map() });
  const rawUrl = '/v2/demo/app/manifests/1.0';
  const read = targets.read(rawUrl, 'one.test', noRoute);
  t.equal(targets.atHand(rawUrl, 'other.test'), read);
});

t.test('what is refused, or no content, or long, is read each time', async (t) => {
  const targets = makeTargets(testNames);
  for (const rawUrl of ['/v2/demo/app/manifests/.x', '/v2/x', '/v2/none/app/manifests/1']) {
    t.throws(() => targets.read(rawUrl, 'a', noRoute), RequestError);
    t.equal(targets.atHand(rawUrl, 'a'), undefined, rawUrl);
  }
  for (const rawUrl of [
    '/v2/demo/app/tags/list',
    `/v2/demo/app/referrers/${digest}`,
    `/v2/demo/app/manifests/1.0?${'x'.repeat(1000)}`,
  ]) {
    t.ok(targets.read(rawUrl, 'a', noRoute));
    t.equal(targets.atHand(rawUrl, 'a'), undefined, rawUrl);
  }
});

t.test('the memory of targets is bounded', async (t) => {
  const targets = makeTargets(testNames);
  const urlOf = (tag: number): string => `/v2/demo/app/manifests/${tag}`;
  for (let tag = 0; tag < 10_000; tag += 1) targets.read(urlOf(tag), 'a', noRoute);
  t.equal(targets.atHand(urlOf(0), 'a'), undefined);
  t.ok(targets.atHand(urlOf(9_999), 'a'));
});

t.test('the route is told before the name is looked up', async (t) => {
  const routes: string[] = [];
  const targets = makeTargets(testNames);
  const note = (route: string): void => void routes.push(route);
  t.throws(() => targets.read('/v2/none/app/manifests/1', 'a', note), { code: 'NAME_UNKNOWN' });
  t.equal(targets.read('/v2/', 'a', note), undefined);
  t.strictSame(routes, ['manifests', 'version']);
});
