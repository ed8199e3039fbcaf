import t from 'tap';
import { expandEnvironment } from '../../../src/config/environment.ts';

const environment = { USER: 'bot', EMPTY: '', DOLLAR: '$USER ${USER}' };

t.test('variables are put in where they are named', async (t) => {
  t.same(expandEnvironment('a-${USER}-${USER}', environment), {
    text: 'a-bot-bot',
    isExpanded: true,
  });
});

t.test('a variable may be empty, and its own dollars stay', async (t) => {
  t.match(expandEnvironment('${EMPTY}', environment), { text: '' });
  t.match(expandEnvironment('${DOLLAR}', environment), { text: '$USER ${USER}' });
});

t.test('two dollars are one, and name no variable', async (t) => {
  t.same(expandEnvironment('$$ $${USER}', environment), {
    text: '$ ${USER}',
    isExpanded: false,
  });
});

t.test('every variable that is not set is named', async (t) => {
  t.match(expandEnvironment('${A} ${B} ${A}', environment), { problem: /variable A, B, which/ });
});

t.test('what every object has is no variable', async (t) => {
  t.match(expandEnvironment('${constructor}', environment), { problem: /constructor/ });
});

for (const text of ['$USER', 'a$', '${}', '${1A}', '${A', '$ ']) {
  t.test(`a lone dollar is refused: ${text}`, async (t) => {
    t.match(expandEnvironment(text, environment), { problem: /lone dollar/ });
  });
}
