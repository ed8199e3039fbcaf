import t from 'tap';
import { judgeSignatureAge } from '../../../src/gate/signature-age.ts';

const hourMs = 3_600_000;
const made = {
  earliest: new Date('2030-01-01T00:00:00Z'),
  latest: new Date('2030-01-01T01:00:00Z'),
};
const after = (ms: number): Date => new Date(made.earliest.getTime() + ms);

t.test('signatures are as old as they can be, and too old at that very moment', async (t) => {
  const judge = (ms: number) => judgeSignatureAge(2 * hourMs, { freshest: made }, after(ms));
  t.equal(judge(2 * hourMs - 1), undefined);
  t.match(judge(2 * hourMs), {
    reason: 'signature-too-old',
    because: /^signed 2030-01-01T00:00:00.000Z, and a tag needs signatures of the last 2h$/,
  });
});

t.test('without a trusted time there is a reason of its own', async (t) => {
  const fault = { reason: 'signing-time-unproven', because: /of the last 90d/ };
  t.match(judgeSignatureAge(90 * 24 * hourMs, undefined, after(0)), fault);
  t.match(judgeSignatureAge(90 * 24 * hourMs, { oldest: made }, after(0)), fault);
});

t.test('nobody asks: nothing is too old', async (t) => {
  t.equal(judgeSignatureAge(undefined, undefined, after(0)), undefined);
});

t.test('the age is told as the policy writes it', async (t) => {
  const told = (ms: number) => judgeSignatureAge(ms, undefined, after(0))?.because;
  t.match(told(5000), /last 5s,/);
  t.match(told(120_000), /last 2m,/);
  t.match(told(36 * hourMs), /last 36h,/);
});
