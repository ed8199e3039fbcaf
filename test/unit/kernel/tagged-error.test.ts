import t from 'tap';
import { systemCodeOf } from '../../../src/kernel/tagged-error.ts';

t.test('the code of a system call is told, and nothing else is one', async (t) => {
  t.equal(systemCodeOf(Object.assign(new Error('gone'), { code: 'ENOENT' })), 'ENOENT');
  t.equal(systemCodeOf(Object.assign(new Error('gone'), { code: 2 })), '');
  t.equal(systemCodeOf(new Error('gone')), '');
  t.equal(systemCodeOf({ code: 'ENOENT' }), '');
});
