import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { leaveOut, requireRoot } from './require-tool.ts';

/** A file system of its own, in memory, with a bound. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all the room that is left, or so much of it. */
  fill(mebibytes?: number): void;
  /** Gives it back. */
  free(): void;
  makeReadOnly(): void;
  makeWritable(): void;
}

export interface DiskOptions {
  readonly mebibytes: number;
  /** Files that it can hold; many unless told. */
  readonly maxFiles?: number;
  /** Folders in it that are file systems of their own, which its faults do not reach. */
  readonly apart?: readonly string[];
}

/** Mounted until the test ends. Undefined where that is not allowed, which has been reported then. */
export function mountSmallDisk(t: Test, options: DiskOptions): SmallDisk | undefined {
  if (!requireRoot(t, 'mounts disks')) return undefined;
  try {
    return mountDisk(t, options);
  } catch (error) {
    // Root in a container may not be allowed to.
    leaveOut(t, `nothing can be mounted here: ${(error as Error).message.trim()}`);
    return undefined;
  }
}

function mountDisk(t: Test, options: DiskOptions): SmallDisk {
  const { mebibytes, maxFiles = 100_000, apart = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'assay-disk-'));
  const mount = (where: string, size: number): void => {
    const limits = `size=${size}m,nr_inodes=${maxFiles},mode=0700`;
    run('mount', ['-t', 'tmpfs', '-o', limits, 'tmpfs', where]);
    const unmount = (): void => run('umount', ['-l', where]);
    // A test that crashes tears nothing down.
    process.once('exit', unmount);
    t.teardown(() => {
      process.off('exit', unmount);
      unmount();
    });
  };
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mount(folder, mebibytes);
  for (const name of apart) {
    run('mkdir', [join(folder, name)]);
    mount(join(folder, name), 256);
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill(bound = Infinity) {
      const file = openSync(ballast, 'a');
      writeUntilFull(file, Buffer.alloc(1024 * 1024), bound);
      if (bound === Infinity) writeUntilFull(file, Buffer.alloc(4096), bound);
      closeSync(file);
    },
    free: () => rmSync(ballast, { force: true }),
    makeReadOnly: () => run('mount', ['-o', 'remount,ro', folder]),
    makeWritable: () => run('mount', ['-o', 'remount,rw', folder]),
  };
}

function writeUntilFull(file: number, piece: Buffer, maxPieces: number): void {
  try {
    for (let written = 0; written < maxPieces; written += 1) writeSync(file, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function run(command: string, words: readonly string[]): void {
  execFileSync(command, words, { stdio: 'pipe' });
}
