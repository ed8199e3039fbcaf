import t from 'tap';
import { DeniedError } from '../../../src/gate/gate-error.ts';
import { denialMessage, shortReason } from '../../../src/routes/denial-message.ts';
import { reasons, type Reason } from '../../../src/verdict/reason.ts';
import { makeVerdict, tagOf } from '../../support/fake-gate.ts';

const denied = new DeniedError(makeVerdict(), 'unsigned');

t.test('a denial names reason, particulars, verdict and where to read on', async (t) => {
  t.equal(
    denialMessage(denied, { tag: tagOf('1.0') }, 'https://proxy.example'),
    'requested access to the resource is denied: unsigned (no signature was found) ' +
      'id=7f3a9c https://proxy.example/v1/verdicts/7f3a9c',
  );
});

t.test('without a public URL it ends with the command, by the reference asked for', async (t) => {
  t.match(
    denialMessage(denied, { tag: tagOf('1.0') }, undefined),
    /id=7f3a9c assay explain demo\/app:1\.0$/,
  );
  t.match(
    denialMessage(denied, undefined, undefined),
    /id=7f3a9c assay explain demo\/app@sha256:5{64}$/,
  );
});

t.test('every reason stays under 300 characters, however long the particulars are', async (t) => {
  for (const reason of Object.keys(reasons) as Reason[]) {
    const verdict = makeVerdict({ because: 'x'.repeat(1000), id: 'f'.repeat(32) });
    for (const url of [undefined, `https://${'p'.repeat(60)}.example`]) {
      const message = denialMessage(new DeniedError(verdict, reason), undefined, url);
      t.ok(message.length < 300, `${reason}: ${message.length}`);
      t.match(message, `denied: ${reason} (xxx`);
      t.match(message, url ?? /assay explain demo\/app@sha256:5{64}$/);
    }
  }
});

t.test('a name too long to be repeated gives way to the word REF', async (t) => {
  const verdict = makeVerdict({ scope: `demo/${'a'.repeat(250)}` });
  const message = denialMessage(new DeniedError(verdict, 'unsigned'), undefined, undefined);
  t.match(message, /unsigned \(no signature was found\) id=7f3a9c assay explain REF$/);
});

t.test('where there is no room for particulars they are left out', async (t) => {
  const url = `https://${'p'.repeat(190)}.example`;
  const message = denialMessage(denied, undefined, url);
  t.match(message, new RegExp(`denied: unsigned id=7f3a9c ${url}/v1/verdicts/7f3a9c$`));
  t.ok(message.length < 300);
});

t.test('what others wrote can not break the line', async (t) => {
  const verdict = makeVerdict({ because: 'signed by "\u{1f600}\r\nX-Evil: 1"' });
  const message = denialMessage(
    new DeniedError(verdict, 'no-trusted-signer'),
    undefined,
    undefined,
  );
  t.match(message, 'no-trusted-signer (signed by "?X-Evil: 1")');
  t.notMatch(message, /[^\x20-\x7e]/);
  t.equal(shortReason('unsigned', 'a\r\nb'), 'unsigned (id a?b)');
});
