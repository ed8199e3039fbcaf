import t from 'tap';
import { notationChecks } from '../../../../src/formats/notation/checks.ts';

t.test('every check has a short id, cites its rule, and knows what governs it', async (t) => {
  for (const { id, rule } of notationChecks) {
    t.match(id, /^[a-z]+(?:-[a-z]+){0,2}$/, id);
    t.match(rule, /^Notary Project, (?:Signature Specification|Trust Store and Trust Policy), /);
  }
});

t.test('integrity, with the subject that the payload names, comes before all else', async (t) => {
  const types = notationChecks.map(({ type }) => type);
  const loosest = types.findIndex((type) => type !== 'integrity');
  t.strictSame(
    notationChecks.slice(0, loosest).map(({ id }) => id),
    [
      'envelope-readable',
      'signed-attributes',
      'critical-attributes',
      'payload-names-subject',
      'signature-algorithm',
      'signature-verifies',
      'certificate-chain',
    ],
  );
  t.match(notationChecks.at(-1), { id: 'level-vouches', type: 'integrity' });
});
