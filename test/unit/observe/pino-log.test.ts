import t from 'tap';
import { TaggedError } from '../../../src/kernel/tagged-error.ts';
import { type LogLevel, makePinoLog } from '../../../src/observe/pino-log.ts';

function makeRecordingLog(level: LogLevel = 'debug') {
  const text: string[] = [];
  const log = makePinoLog({ level, destination: { write: (line) => void text.push(line) } });
  return { log, text, lines: () => text.map((line) => JSON.parse(line)) };
}

t.test('an event is one JSON line with time, level, message and fields', async (t) => {
  const { log, text, lines } = makeRecordingLog();
  log.info({ repository: 'demo/app' }, 'served');
  t.equal(text.length, 1);
  t.ok(text[0]?.endsWith('\n'));
  t.match(lines()[0], { level: 'info', message: 'served', repository: 'demo/app' });
  t.match(lines()[0].time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

t.test('a line says which worker wrote it, where there are several', async (t) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  makePinoLog({ level: 'info', destination, worker: 2 }).info({}, 'served');
  makePinoLog({ level: 'info', destination }).info({}, 'served');
  const [several, alone] = lines.map((line) => JSON.parse(line) as object);
  t.match(several, { worker: 2 });
  t.notOk('worker' in alone!);
});

t.test('every level has its own name', async (t) => {
  const { log, lines } = makeRecordingLog();
  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({}, 'c');
  log.error({}, 'd');
  t.same(
    lines().map((line) => line.level),
    ['debug', 'info', 'warn', 'error'],
  );
});

t.test('lines below the level are not written', async (t) => {
  const { log, lines } = makeRecordingLog('warn');
  log.info({}, 'no');
  log.warn({}, 'yes');
  t.same(
    lines().map((line) => line.message),
    ['yes'],
  );
});

t.test('secrets are redacted by key, at the top and one level down', async (t) => {
  const { log, text } = makeRecordingLog();
  log.info({ password: 'hunter2', headers: { authorization: 'Bearer hunter2' } }, 'x');
  log.info({ request: { token: 'hunter2' }, credentials: { username: 'hunter2' } }, 'x');
  t.notMatch(text.join(''), 'hunter2');
  t.equal(text.join('').match(/\[redacted\]/g)?.length, 4);
});

t.test('an expected error is its code and message, with its causes and no stack', async (t) => {
  const { log, lines } = makeRecordingLog();
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  const error = new TaggedError('UPSTREAM_UNREACHABLE', 'demo can not be reached', { cause });
  log.warn({ error: Object.assign(error, { request: { secretHeader: 'x' } }) }, 'failed');
  t.same(lines()[0].error, {
    name: 'TaggedError',
    message: 'demo can not be reached',
    code: 'UPSTREAM_UNREACHABLE',
    cause: { name: 'Error', message: 'connect refused', code: 'ECONNREFUSED' },
  });
});

t.test('an unexpected error keeps its stack', async (t) => {
  const { log, lines } = makeRecordingLog();
  log.error({ error: new TypeError('oops') }, 'failed');
  t.match(lines()[0].error, { name: 'TypeError', message: 'oops', stack: /pino-log\.test/ });
});

t.test('a chain of causes that never ends is cut', async (t) => {
  const { log, lines } = makeRecordingLog();
  const error = new Error('loop');
  error.cause = error;
  log.error({ error }, 'failed');
  t.equal(JSON.stringify(lines()[0]).match(/"message":"loop"/g)?.length, 5);
});

t.test('flush ends also for a destination that has nothing to flush', async (t) => {
  const { log } = makeRecordingLog();
  await t.resolves(log.flush());
});
