import t from 'tap';
import { parseRfc3339 } from '../../../src/crypto/rfc3339.ts';
import { readDenialWish, type WrittenDenial } from '../../../src/verdict/denial-wish.ts';

const times = { now: new Date('2030-01-01T00:00:00Z'), parse: parseRfc3339 };
const digest = `sha256:${'1'.repeat(64)}`;
const words = { reason: 'INC-1', owner: 'sre@acme.example' };
const read = (written: WrittenDenial) => readDenialWish({ ...words, ...written }, times);

t.test('each kind of thing is read', (t) => {
  const targets: readonly (readonly [WrittenDenial, object])[] = [
    [{ digest }, { kind: 'digest', digest }],
    [{ key: 'ab'.repeat(32) }, { kind: 'key', fingerprint: 'ab'.repeat(32) }],
    [{ key: Array(32).fill('AB').join(':') }, { kind: 'key', fingerprint: 'ab'.repeat(32) }],
    [{ key: `SHA256:${'AB'.repeat(32)}` }, { kind: 'key', fingerprint: 'ab'.repeat(32) }],
    [{ identity: 'CN=ci, O=acme' }, { kind: 'identity', identity: { subject: 'CN=ci, O=acme' } }],
    [
      { issuer: 'https://a.example' },
      { kind: 'identity', identity: { issuer: 'https://a.example' } },
    ],
    [
      { identity: 'ci@acme', issuer: 'https://a.example' },
      { kind: 'identity', identity: { subject: 'ci@acme', issuer: 'https://a.example' } },
    ],
    [
      { repository: 'docker.io/library/nginx' },
      { kind: 'repository', repository: 'docker.io/library/nginx' },
    ],
    [
      { repository: 'localhost:5000/app' },
      { kind: 'repository', repository: 'localhost:5000/app' },
    ],
  ];
  for (const [written, target] of targets) t.same(read(written), { wish: { target, ...words } });
  t.end();
});

t.test('an end must be a time to come', (t) => {
  const until = '2030-01-31T00:00:00Z';
  t.match(read({ digest, until }), { wish: { until: new Date(until) } });
  t.match(read({ digest, until: '2030-01-01T00:00:00Z' }), { problem: /in the past/ });
  for (const wrong of ['tomorrow', '2030-02-30T00:00:00Z', '2030-01-31', '1896134400']) {
    t.match(read({ digest, until: wrong }), { problem: /until must be a time/ }, wrong);
  }
  t.end();
});

t.test('exactly one thing is named', (t) => {
  const problem = /name one thing/;
  t.match(read({}), { problem });
  t.match(read({ digest, repository: 'a/b' }), { problem });
  t.match(read({ digest, issuer: 'https://a.example' }), { problem });
  t.end();
});

t.test('what is no such thing is refused, by its name', (t) => {
  const wrong: readonly (readonly [WrittenDenial, RegExp])[] = [
    [{ digest: 'sha256:12' }, /^digest must be/],
    [{ digest: digest.toUpperCase() }, /^digest must be/],
    [{ key: 'ab' }, /^key must be/],
    [{ key: 'zz'.repeat(32) }, /^key must be/],
    [{ repository: 'nginx' }, /^repository must be/],
    [{ repository: 'docker.io/Library/nginx' }, /^repository must be/],
    [{ repository: '/a' }, /^repository must be/],
    [{ identity: '' }, /^identity must be/],
    [{ identity: 'a\nb' }, /^identity must be/],
    [{ identity: 'a\u202eb' }, /^identity must be/],
    [{ issuer: 'x'.repeat(2049) }, /^issuer must be/],
    [{ digest, reason: ' ' }, /^reason must be/],
    [{ digest, reason: 'x'.repeat(501) }, /^reason must be/],
    [{ digest, owner: 'a\u0000' }, /^owner must be/],
  ];
  for (const [written, problem] of wrong) t.match(read(written), { problem }, String(problem));
  t.end();
});

t.test('nothing is denied without a reason and an owner', (t) => {
  t.match(readDenialWish({ digest, owner: 'sre' }, times), { problem: /^reason/ });
  t.match(readDenialWish({ digest, reason: 'x' }, times), { problem: /^owner/ });
  t.end();
});
