import t from 'tap';
import { AirgapError } from '../../../src/airgap/airgap-error.ts';
import { readFailure, writeFailure } from '../../../src/airgap/file-failure.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

t.test('a disk that is full is told from one that fails', async (t) => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
    t.match(writeFailure('x', systemError(code)), { code: 'NO_SPACE', message: /^x can not be/ });
  }
  t.equal(writeFailure('x', systemError('EIO')).code, 'WRITE_FAILED');
  const wrapped = new StorageError('STORAGE_FAILED', 'no', { cause: systemError('ENOSPC') });
  t.match(writeFailure('x', wrapped), { code: 'NO_SPACE', message: /ENOSPC/ });
  t.match(readFailure('x', systemError('EACCES')), { code: 'READ_FAILED', message: /EACCES/ });
});

t.test('what has a name already keeps it', async (t) => {
  const named = new AirgapError('CHUNK_CORRUPT', 'damaged');
  t.equal(writeFailure('x', named), named);
  t.equal(readFailure('x', named), named);
});
