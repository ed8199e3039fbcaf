import t from 'tap';
import type { JudgeStatement, StatementQuestion } from '../../../src/policies/attestation.ts';
import type { AttestationFound } from '../../../src/verdict/report.ts';
import type { Report } from '../../../src/verdict/report.ts';
import { buildImage } from '../../support/build-image.ts';
import { type ToySignature, toySignature } from '../../support/toy-format.ts';
import { makeVerifierKit, type VerifierKitOptions } from '../../support/verifier-kit.ts';

const image = buildImage();
const provenance = 'https://slsa.dev/provenance/v1';
const attested: ToySignature = { by: 'alice', attests: provenance };

async function reportOn(
  signature: ToySignature,
  judge: JudgeStatement,
  options: VerifierKitOptions = {},
): Promise<Report | undefined> {
  const kit = makeVerifierKit({ ...options, judge });
  kit.source.put(image);
  kit.source.put(toySignature(image.descriptor, signature));
  return (await kit.verify(image)).reports.find(({ identity }) => identity === 'alice');
}

const found: AttestationFound = { predicateType: provenance, meets: ['r1'], conditions: [] };

t.test('a statement goes to the policy engine, and what it says into the report', async (t) => {
  const asked: StatementQuestion[] = [];
  const report = await reportOn(attested, async (question) => {
    asked.push(question);
    return found;
  });
  t.match(report, { outcome: 'trusted', attestation: found });
  const payload = Buffer.from(JSON.stringify({ ...attested, of: image.descriptor.digest }));
  t.match(asked, [
    {
      identity: 'alice',
      scope: 'reg/app',
      subject: image.descriptor.digest,
      rule: { name: 'rule 1' },
      now: new Date('2030-01-01T00:00:00Z'),
      statement: { predicateType: provenance, payload },
    },
  ]);
});

t.test('a plain signature is no attestation and asks nobody', async (t) => {
  const report = await reportOn({ by: 'alice' }, () => Promise.reject(new Error('asked')));
  t.equal(report?.outcome, 'trusted');
  t.equal(report?.attestation, undefined);
});

t.test("a stranger's statement is never looked into", async (t) => {
  const report = await reportOn({ ...attested, by: 'mallory' }, () =>
    Promise.reject(new Error('asked')),
  );
  t.match(report, { outcome: 'untrusted', reason: 'no-trusted-signer' });
  t.equal(report?.attestation, undefined);
});

t.test('each identity that made it is asked for by itself', async (t) => {
  const asked: string[] = [];
  const judge: JudgeStatement = async ({ identity }) => {
    asked.push(identity);
    return found;
  };
  await reportOn(attested, judge, { signers: { bob: 'notation', alice: 'notation' } });
  t.strictSame(asked, ['alice']);
});

t.test('an attestation that could not be worked out is inconclusive, not met', async (t) => {
  const report = await reportOn(attested, () => Promise.reject(new Error('no thread is free')));
  t.match(report, {
    outcome: 'inconclusive',
    reason: 'not-verifiable',
    attestation: { predicateType: provenance, meets: [] },
  });
  const last = report?.checks.at(-1);
  t.match(last, { id: 'conditions', outcome: 'inconclusive', because: 'no thread is free' });
});

const [sooner, later] = ['2030-02-01T00:00:00Z', '2030-03-01T00:00:00Z'] as const;
for (const [until, fresh] of [
  [sooner, later],
  [later, sooner],
  [undefined, sooner],
] as const) {
  t.test(
    `until ${until ?? 'for ever'} and fresh until ${fresh}: the first end counts`,
    async (t) => {
      const signature = until === undefined ? attested : { ...attested, until };
      const judge = async () => ({ ...found, freshUntil: new Date(fresh) });
      t.strictSame((await reportOn(signature, judge))?.validUntil, new Date(sooner));
    },
  );
}
