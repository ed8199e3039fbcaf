import t from 'tap';
import { isOfAllVersions, listedWith, ofOneVersion } from '../../../src/gate/listed-names.ts';

const groups: Readonly<Record<string, string | undefined>> = {
  'part/sha256:aa@': 'part/sha256:aa@',
  'part/sha256:aa@reg/app@': 'part/sha256:aa@',
  'part/sha256:aa@reg/app@sha256:bb': 'part/sha256:aa@',
  'part/': undefined,
  'unread/reg/app@': 'unread/reg/app@',
  'unread/reg/app@sha256:aa': 'unread/reg/app@',
  'tag-history/reg/app:1.0@sha256:aa': 'tag-history/reg/app:1.0@',
  'deny/': 'deny/',
  'deny/0123': 'deny/',
  'deny-epoch': undefined,
  'replica/0123': 'replica/',
  'policy-mark': undefined,
  'verdict/reg/app@sha256:aa': undefined,
  'verdict-id/0123': undefined,
  'untrusted/reg/app@sha256:aa': undefined,
  'evidence/reg/app@sha256:aa': undefined,
  'pin/reg/app:1.0': undefined,
};

for (const [name, group] of Object.entries(groups)) {
  t.test(`${name} is listed ${group === undefined ? 'nowhere' : `with ${group}`}`, async (t) => {
    t.equal(listedWith(name), group);
    if (group !== undefined) t.ok(name.startsWith(group));
  });
}

t.test('what denies and who is there is of all versions, and the rest of one', async (t) => {
  const shared = ['deny/', 'deny/0123', 'deny-epoch', 'look-again', 'policy-mark', 'replica/0123'];
  for (const name of [...shared, 'tag-history/reg/app:1.0@sha256:aa']) {
    t.equal(isOfAllVersions(name), true, name);
    t.notOk(
      ofOneVersion.some((family) => name.startsWith(family)),
      `${name} is not left behind`,
    );
  }
  for (const name of Object.keys(groups).filter((name) => !isOfAllVersions(name))) {
    t.ok(
      ofOneVersion.some((family) => name.startsWith(family)),
      `${name} is left behind`,
    );
  }
});
