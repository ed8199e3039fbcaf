import t from 'tap';
import { makeQuestions } from '../../../src/compose/questions.ts';

const endless = 2 ** 30;

t.test('each answer reaches its question, in whatever order they come', async (t) => {
  const sent: { id: number; question: string }[] = [];
  const questions = makeQuestions<string, number>(
    (id, question) => sent.push({ id, question }),
    endless,
  );
  const [one, other] = [questions.ask('one'), questions.ask('other')];
  t.same(
    sent.map(({ question }) => question),
    ['one', 'other'],
  );
  questions.answered(sent[1]!.id, 2);
  questions.answered(sent[0]!.id, 1);
  t.same(await Promise.all([one, other]), [1, 2]);
});

t.test(
  "a question that nobody answers ends by itself, and a late answer is nobody's",
  async (t) => {
    let asked = 0;
    const questions = makeQuestions<string, number>((id) => {
      asked = id;
    }, 1);
    t.equal(await questions.ask('anybody?'), undefined);
    questions.answered(asked, 1);
    questions.answered(asked + 1, 1);
    const next = questions.ask('again?');
    questions.answered(asked, 3);
    t.equal(await next, 3);
  },
);
