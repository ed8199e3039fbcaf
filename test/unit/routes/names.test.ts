import t from 'tap';
import { scopeOf } from '../../../src/oci/repository.ts';
import { type Names, type NameSources, resolveName } from '../../../src/routes/names.ts';
import { RequestError } from '../../../src/routes/request-error.ts';

const names: Names = {
  upstreams: new Set(['docker.io', 'ghcr.io', 'demo', 'localhost:5555']),
  hosts: new Map([
    ['hub.test', 'docker.io'],
    ['ghcr.test:8443', 'ghcr.io'],
  ]),
  defaultUpstream: undefined,
};

function resolve(sources: Partial<NameSources>, known = names): string {
  try {
    const all = { name: '', namespace: undefined, host: 'proxy.test', ...sources };
    return scopeOf(resolveName(all, known).repository);
  } catch (error) {
    if (error instanceof RequestError) return `${error.status} ${error.code}`;
    throw error;
  }
}

t.test('the first segment may be the key of an upstream, dots or not', async (t) => {
  t.equal(resolve({ name: 'ghcr.io/acme/app' }), 'ghcr.io/acme/app');
  t.equal(resolve({ name: 'demo/app' }), 'demo/app');
  t.equal(resolve({ name: 'localhost:5555/a/b' }), 'localhost:5555/a/b');
  t.equal(resolve({ name: 'docker.io/library/nginx' }), 'docker.io/library/nginx');
});

t.test('ns names the upstream, and the path is no prefix', async (t) => {
  t.equal(resolve({ name: 'library/nginx', namespace: 'docker.io' }), 'docker.io/library/nginx');
  t.equal(resolve({ name: 'demo/app', namespace: 'docker.io' }), 'docker.io/demo/app');
});

t.test('ns and a path that begins with that same name agree', async (t) => {
  t.equal(resolve({ name: 'ghcr.io/a/b', namespace: 'ghcr.io' }), 'ghcr.io/a/b');
  t.equal(resolve({ name: 'docker.io/nginx', namespace: 'docker.io' }), 'docker.io/library/nginx');
});

t.test('a host name of ours stands for one upstream, with its port or without', async (t) => {
  t.equal(resolve({ name: 'library/nginx', host: 'hub.test' }), 'docker.io/library/nginx');
  t.equal(resolve({ name: 'library/nginx', host: 'HUB.test:5000' }), 'docker.io/library/nginx');
  t.equal(resolve({ name: 'a/b', host: 'ghcr.test:8443' }), 'ghcr.io/a/b');
  t.equal(resolve({ name: 'a/b', host: 'ghcr.test:1' }), '404 NAME_UNKNOWN');
  t.equal(resolve({ name: 'docker.io/a/b', host: 'hub.test' }), 'docker.io/a/b');
  t.equal(resolve({ name: 'a/b', host: 'hub.test', namespace: 'docker.io' }), 'docker.io/a/b');
});

t.test('two that disagree are refused', async (t) => {
  t.equal(resolve({ name: 'a/b', host: 'hub.test', namespace: 'ghcr.io' }), '400 NAME_INVALID');
  t.equal(resolve({ name: 'ghcr.io/a/b', host: 'hub.test' }), '400 NAME_INVALID');
  t.equal(resolve({ name: 'demo/app', host: 'hub.test' }), '400 NAME_INVALID');
  t.equal(resolve({ name: 'docker.io/x/y', namespace: 'ghcr.io' }), '400 NAME_INVALID');
});

t.test('what is not configured is unknown, whatever it looks like', async (t) => {
  for (const namespace of [
    'quay.io',
    '',
    '127.0.0.1:6379',
    'DOCKER.IO',
    'docker.io/',
    '__proto__',
  ]) {
    t.equal(resolve({ name: 'a/b', namespace }), '404 NAME_UNKNOWN', namespace);
  }
  t.equal(resolve({ name: 'quay.io/a/b' }), '404 NAME_UNKNOWN');
  t.equal(resolve({ name: 'a/b', host: undefined }), '404 NAME_UNKNOWN');
  t.equal(resolve({ name: 'demo' }), '404 NAME_UNKNOWN');
});

t.test('the default upstream takes what names none', async (t) => {
  const known = { ...names, defaultUpstream: 'docker.io' };
  t.equal(resolve({ name: 'nginx' }, known), 'docker.io/library/nginx');
  t.equal(resolve({ name: 'acme/app' }, known), 'docker.io/acme/app');
  t.equal(resolve({ name: 'ghcr.io/acme/app' }, known), 'ghcr.io/acme/app');
  t.equal(resolve({ name: 'demo' }, known), 'docker.io/library/demo');
});

t.test('only Docker Hub has a library', async (t) => {
  t.equal(resolve({ name: 'docker.io/nginx' }), 'docker.io/library/nginx');
  t.equal(resolve({ name: 'nginx', namespace: 'ghcr.io' }), 'ghcr.io/nginx');
  t.equal(resolve({ name: 'nginx', host: 'hub.test' }), 'docker.io/library/nginx');
});

t.test('a malformed name is refused before it is unknown', async (t) => {
  for (const name of [
    '',
    'UPPER/case',
    'demo/UPPER',
    'demo/',
    'demo//a',
    '/demo/a',
    'demo/a_/b',
    'demo/a..b',
  ]) {
    t.equal(resolve({ name }), '400 NAME_INVALID', name);
  }
  t.equal(resolve({ name: `demo/${'a'.repeat(256)}` }), '400 NAME_INVALID');
});

t.test('how the client wrote the name is kept', async (t) => {
  const named = resolveName(
    { name: 'docker.io/nginx', namespace: 'docker.io', host: undefined },
    names,
  );
  t.equal(named.givenName, 'docker.io/nginx');
  t.equal(named.givenNamespace, 'docker.io');
});
