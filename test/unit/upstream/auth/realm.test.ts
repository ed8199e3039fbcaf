import t from 'tap';
import { checkRealm } from '../../../../src/upstream/auth/realm.ts';

const registry = 'https://registry.acme.example';
const noneAllowed: readonly string[] = [];

/** A realm that a challenge may name, by upstream and what the operator allows besides. */
const allowed: readonly (readonly [realm: string, origin: string, allow?: readonly string[]])[] = [
  ['https://registry.acme.example/token', registry],
  ['https://registry.acme.example/token?a=b', registry],
  ['https://REGISTRY.acme.example/token', registry],
  ['https://registry.acme.example:443/token', registry],
  ['https://registry.acme.example:8443/token', registry],
  ['https://auth.registry.acme.example/token', registry],
  ['https://acme.example/jwt/auth', registry],
  ['https://auth.docker.io/token', 'https://registry-1.docker.io'],
  ['https://docker.io/token', 'https://registry-1.docker.io'],
  ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com'],
  ['https://ghcr.io/token', 'https://ghcr.io'],
  ['https://auth.ghcr.io/token', 'https://ghcr.io'],
  ['https://sso.acme.example/token', registry, ['sso.acme.example']],
  ['https://sso.acme.example:8443/token', registry, ['sso.acme.example:8443']],
  ['https://10.0.0.7/token', registry, ['10.0.0.7']],
  ['https://10.0.0.7:5000/token', 'https://10.0.0.7:5000'],
  ['https://[fd00::7]/token', 'https://[fd00::7]'],
  ['http://127.0.0.1:5000/token', 'http://127.0.0.1:5000'],
  ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5000', ['127.0.0.1:5001']],
  ['http://lab.internal:5000/token', 'http://lab.internal:5000'],
  ['http://lab.internal:5001/token', 'http://lab.internal:5000'],
  ['https://lab.internal/token', 'http://lab.internal:5000'],
  ['http://localhost:5000/token', 'http://localhost:5000'],
];

for (const [realm, origin, realmAllow = noneAllowed] of allowed) {
  t.test(`${realm} may issue tokens for ${origin} (allow: ${realmAllow.join()})`, async (t) => {
    t.equal(checkRealm(realm, { origin, realmAllow }).href, new URL(realm).href);
  });
}

/** A realm that must not get our credentials nor make us connect. */
const refused: readonly (readonly [realm: string, origin?: string, allow?: readonly string[]])[] = [
  [''],
  ['token'],
  ['/token'],
  ['//evil.example/token'],
  ['http://registry.acme.example/token'],
  ['http://registry.acme.example:443/token'],
  ['ftp://registry.acme.example/token'],
  ['file:///etc/passwd'],
  ['data:application/json,{}'],
  ['javascript:alert(1)'],
  ['unix:///var/run/docker.sock'],
  ['https:registry.acme.example/token'],
  ['https:/registry.acme.example/token'],
  ['https://'],
  ['https:///token'],
  ['https://[::1'],
  ['https://evil.example/token'],
  ['https://auth.acme.example/token'],
  ['https://evil-registry.acme.example/token'],
  ['https://registry.acme.example.evil.example/token'],
  ['https://notacme.example/token'],
  ['https://example/token'],
  ['https://example./token'],
  ['https://registry.acme.example./token'],
  ['https://registry.acme.example@evil.example/token'],
  ['https://user:secret@registry.acme.example/token'],
  ['https://user@registry.acme.example/token'],
  ['https://registry.acme.example\\@evil.example/token'],
  ['https://evil.example\\.registry.acme.example/token'],
  ['https://evil.example#.registry.acme.example/'],
  ['https://evil.example?.registry.acme.example/'],
  ['https://registry.acme.example/token#fragment'],
  ['https://registry.acme.example/to ken'],
  ['https://registry.acme.example/\r\nX-Injected: y'],
  ['https://registry.acme\u3002example/token'],
  ['https://registry.acm\u00e9.example/token'],
  [`https://registry.acme.example/${'x'.repeat(2048)}`],
  ['https://localhost/token'],
  ['https://a.localhost/token'],
  ['https://127.0.0.1/token'],
  ['https://127.1/token'],
  ['https://0x7f000001/token'],
  ['https://2130706433/token'],
  ['https://017700000001/token'],
  ['https://[::1]/token'],
  ['https://[::ffff:127.0.0.1]/token'],
  ['https://169.254.169.254/latest/meta-data'],
  ['https://10.0.0.7/token'],
  ['https://auth.docker.io/token'],
  ['https://evil.docker.io/token', 'https://registry-1.docker.io'],
  ['http://auth.docker.io/token', 'https://registry-1.docker.io'],
  ['https://auth.docker.io:8443/token', 'https://registry-1.docker.io'],
  ['https://10.0.0.7:5001/token', 'https://10.0.0.7:5000'],
  ['https://10.0.0.8:5000/token', 'https://10.0.0.7:5000'],
  ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5000'],
  ['http://localhost:5001/token', 'http://localhost:5000'],
  ['http://localhost:5000/token', 'http://127.0.0.1:5000'],
  ['https://localhost:5000/token', registry],
  ['https://evil.localhost/token', 'https://lab.localhost'],
  ['https://sso.acme.example:8443/token', registry, ['sso.acme.example']],
  ['https://evil.sso.acme.example/token', registry, ['sso.acme.example']],
  ['http://sso.acme.example/token', registry, ['sso.acme.example']],
  ['https://com/token', 'https://registry.com'],
];

for (const [realm, origin = registry, realmAllow = noneAllowed] of refused) {
  t.test(`${JSON.stringify(realm.slice(0, 80))} may not for ${origin}`, async (t) => {
    const check = () => checkRealm(realm, { origin, realmAllow });
    t.throws(check, { name: 'UpstreamError', code: 'UPSTREAM_LEADS_ASTRAY' });
  });
}

t.test('the table is long enough to mean something', async (t) => {
  t.ok(refused.length >= 60, `${refused.length} realms are refused`);
});

t.test('the secret of a refused realm is not repeated', async (t) => {
  const rules = { origin: registry, realmAllow: noneAllowed };
  try {
    checkRealm('https://user:secret@registry.acme.example/token', rules);
    t.fail('it is refused');
  } catch (error) {
    t.notMatch(String(error), /secret/);
  }
});
