import t from 'tap';
import { renderTree } from '../../../src/cli/tree.ts';

t.test('a root alone is one line', async (t) => {
  t.same(renderTree({ text: 'root' }), ['root']);
});

t.test('lines lead to the last branch of each level and no further', async (t) => {
  const tree = renderTree({
    text: 'root',
    branches: [
      { text: 'a', branches: [{ text: 'a1' }, { text: 'a2' }] },
      { text: 'b', branches: [{ text: 'b1' }] },
    ],
  });
  t.same(tree, ['root', '├─ a', '│  ├─ a1', '│  └─ a2', '└─ b', '   └─ b1']);
});
