import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { type FolderHold, type HeldFolder, holdFolder } from '../../../src/storage/folder-hold.ts';
import { readOwnIdentity } from '../../../src/storage/process-identity.ts';

const silentMs = 10_000;
const lookEveryMs = 500;

interface Kit {
  readonly folder: string;
  readonly lock: string;
  /** How often it was waited for somebody elsewhere. */
  waits: number;
  /** What happens while it is waited. */
  meanwhile: () => void;
  hold(): Promise<FolderHold | HeldFolder>;
}

function makeKit(t: Test): Kit {
  const folder = join(t.testdir(), 'data');
  mkdirSync(folder);
  const kit: Kit = {
    folder,
    lock: join(folder, 'server.lock'),
    waits: 0,
    meanwhile: () => undefined,
    hold: () => holdFolder({ folder, silentMs, lookEveryMs, files: systemFiles, wait }),
  };
  const wait = async (): Promise<void> => {
    kit.waits += 1;
    kit.meanwhile();
  };
  return kit;
}

const owner = '0123456789abcdef';
const lineOf = (pid: number, started: string, boot: string, namespace: string): string =>
  `${[owner, pid, started, boot, namespace].join(' ')}\n`;

/** A lock of another process, last touched so long ago. */
async function place({ lock }: Kit, whose: 'alive' | 'dead' | 'boot' | 'container', agoMs = 0) {
  const own = await readOwnIdentity(systemFiles);
  const { boot, namespace } = own;
  const lines = {
    // That which has started this test, and has an own number.
    alive: lineOf(process.ppid, await startOf(process.ppid), boot, namespace),
    dead: lineOf(own.pid, '1', boot, namespace),
    boot: lineOf(own.pid, own.started, 'another-boot', namespace),
    container: lineOf(own.pid, own.started, boot, 'pid:[1]'),
  };
  writeFileSync(lock, lines[whose]);
  const at = (systemClock.now().getTime() - agoMs) / 1000;
  utimesSync(lock, at, at);
}

async function startOf(pid: number): Promise<string> {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

const isHeld = (held: FolderHold | HeldFolder): held is FolderHold => !('by' in held);

t.test('a folder is held by the first, and by nobody once it is given back', async (t) => {
  const kit = makeKit(t);
  const hold = await kit.hold();
  t.ok(isHeld(hold));
  t.same(readdirSync(kit.folder), ['server.lock'], 'and nothing else is left there');
  t.equal(isHeld(hold) && (await hold.touch()), true);
  if (isHeld(hold)) await hold.release();
  t.same(readdirSync(kit.folder), []);
});

t.test('another process that lives keeps it', async (t) => {
  const kit = makeKit(t);
  await place(kit, 'alive');
  t.match(await kit.hold(), { by: { owner, pid: process.ppid, state: 'alive' } });
  t.equal(kit.waits, 0);
});

t.test('of one that has died it is taken at once', async (t) => {
  const kit = makeKit(t);
  await place(kit, 'dead');
  t.ok(isHeld(await kit.hold()));
  t.equal(kit.waits, 0);
});

t.test('so it is when its line can not be read', async (t) => {
  const kit = makeKit(t);
  writeFileSync(kit.lock, '');
  t.ok(isHeld(await kit.hold()));
});

t.test('two in one process share it', async (t) => {
  const kit = makeKit(t);
  const [one, other] = [await kit.hold(), await kit.hold()];
  t.ok(isHeld(one) && isHeld(other));
  if (isHeld(other)) await other.release();
  t.equal(isHeld(one) && (await one.touch()), true, 'the second one takes nothing away');
});

for (const whose of ['boot', 'container'] as const) {
  t.test(`one of another ${whose} that goes on touching it keeps it`, async (t) => {
    const kit = makeKit(t);
    await place(kit, whose);
    kit.meanwhile = () => utimesSync(kit.lock, 7, 7);
    t.match(await kit.hold(), { by: { state: 'elsewhere' } });
    t.equal(kit.waits, 1, 'it is known as soon as it is touched');
  });

  t.test(`one of another ${whose} that was silent for long has ended`, async (t) => {
    const kit = makeKit(t);
    await place(kit, whose, silentMs + 1_000);
    t.ok(isHeld(await kit.hold()));
    t.equal(kit.waits, 0);
  });

  t.test(`one of another ${whose} that may still live is waited for`, async (t) => {
    const kit = makeKit(t);
    await place(kit, whose);
    t.ok(isHeld(await kit.hold()));
    t.ok(kit.waits >= (silentMs - 5_000) / lookEveryMs, String(kit.waits));
    t.ok(kit.waits <= silentMs / lookEveryMs);
  });

  t.test(`one of another ${whose} that ends meanwhile leaves it at once`, async (t) => {
    const kit = makeKit(t);
    await place(kit, whose);
    kit.meanwhile = () => void systemFiles.unlink(kit.lock).catch(() => undefined);
    t.ok(isHeld(await kit.hold()));
    t.ok(kit.waits <= 3);
  });
}

t.test('who has lost it is told, and takes nothing from the other', async (t) => {
  const kit = makeKit(t);
  const hold = await kit.hold();
  await place(kit, 'alive');
  t.equal(isHeld(hold) && (await hold.touch()), false);
  if (isHeld(hold)) await hold.release();
  t.match(readFileSync(kit.lock, 'utf8'), new RegExp(`^${owner} `));
});

t.test('a touch is seen by the time of the file', async (t) => {
  const kit = makeKit(t);
  const hold = await kit.hold();
  utimesSync(kit.lock, 1, 1);
  const line = readFileSync(kit.lock, 'utf8');
  t.equal(isHeld(hold) && (await hold.touch()), true);
  t.ok((await systemFiles.stat(kit.lock)).mtimeMs > 1_000_000);
  t.equal(readFileSync(kit.lock, 'utf8'), line);
});
