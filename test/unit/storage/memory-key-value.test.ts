import t from 'tap';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { keyValueContract } from '../../contract/key-value.ts';

keyValueContract(t, async () => makeMemoryKeyValue());
