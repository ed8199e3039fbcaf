import t from 'tap';
import { describeFailure } from '../../../src/cli/describe-failure.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { ImageNameError } from '../../../src/compose/image-name.ts';
import { StartupError } from '../../../src/compose/startup-error.ts';
import { WorkersError } from '../../../src/compose/workers-error.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { UnavailableError } from '../../../src/gate/gate-error.ts';

const failures = [
  {
    error: new UsageError('REF is missing'),
    exitCode: 64,
    code: 'USAGE',
    lines: ['REF is missing'],
  },
  {
    error: new ImageNameError('UPSTREAM_UNKNOWN', 'no upstream'),
    exitCode: 64,
    code: 'UPSTREAM_UNKNOWN',
    lines: ['no upstream'],
  },
  {
    error: new ConfigError('CONFIG_INVALID', ['a:1:1: x', 'a:2:1: y']),
    exitCode: 78,
    code: 'CONFIG_INVALID',
    lines: ['a:1:1: x', 'a:2:1: y'],
  },
  {
    error: new StartupError('POLICY_UNUSABLE', ['p:1:1: x', 'p:2:1: y']),
    exitCode: 78,
    code: 'POLICY_UNUSABLE',
    lines: ['p:1:1: x', 'p:2:1: y'],
  },
  {
    error: new StartupError('ADDRESS_UNUSABLE', 'taken'),
    exitCode: 1,
    code: 'ADDRESS_UNUSABLE',
    lines: ['taken'],
  },
  {
    error: new WorkersError('WORKERS_CRASH', 'workers ended unasked 8 times'),
    exitCode: 70,
    code: 'WORKERS_CRASH',
    lines: ['workers ended unasked 8 times'],
  },
  {
    error: new UnavailableError('UNAVAILABLE', 'the upstream did not answer'),
    exitCode: 2,
    code: 'UNAVAILABLE',
    lines: ['the upstream did not answer'],
  },
  {
    error: new TypeError('x is undefined'),
    exitCode: 70,
    code: 'INTERNAL',
    lines: ['internal error: x is undefined'],
  },
  { error: 'thrown text', exitCode: 70, code: 'INTERNAL', lines: ['internal error: thrown text'] },
];

for (const { error, ...expected } of failures) {
  t.test(`${expected.code} ends with ${expected.exitCode}`, async (t) => {
    t.same(describeFailure(error), expected);
  });
}

t.test('the end of the time for a verification is inconclusive, no bug', async (t) => {
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  t.same(describeFailure(timeout), {
    exitCode: 2,
    code: 'TIMEOUT',
    lines: ['it could not be found out in time'],
  });
});
