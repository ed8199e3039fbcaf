import { systemCodeOf } from '../kernel/tagged-error.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';

/** A process, told apart from a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since the boot (proc(5), /proc/PID/stat, field 22); empty where there is no such thing. */
  readonly started: string;
  /** Changes with every start of the machine. */
  readonly boot: string;
  /** Process numbers mean something only within their namespace: containers have their own. */
  readonly namespace: string;
}

export async function readOwnIdentity(files: FileSystem): Promise<ProcessIdentity> {
  const { pid } = process;
  const boot = await unlessAbsent(files.readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
  const namespace = await unlessAbsent(files.readlink('/proc/self/ns/pid'));
  const found = await statusOf('self', files);
  return {
    pid,
    started: found?.started ?? '',
    boot: boot?.trim() ?? '',
    namespace: namespace ?? '',
  };
}

/** `unknown`: it is in a container of its own, from where we can't see it. */
export type Liveness = 'alive' | 'dead' | 'dead-before-boot' | 'unknown';

export async function livenessOf(
  other: ProcessIdentity,
  own: ProcessIdentity,
  files: FileSystem,
): Promise<Liveness> {
  if (other.boot !== own.boot) return 'dead-before-boot';
  if (other.namespace !== own.namespace) return 'unknown';
  if (!exists(other.pid)) return 'dead';
  const found = await statusOf(String(other.pid), files);
  if (found === undefined) return 'alive';
  return found.isEnded || found.started !== other.started ? 'dead' : 'alive';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

interface Status {
  readonly started: string;
  /** Killed, and its parent has not noticed yet. */
  readonly isEnded: boolean;
}

/** Undefined where the system does not say. */
async function statusOf(pid: string, files: FileSystem): Promise<Status | undefined> {
  const stat = await files.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The command's name stands in parentheses, and may hold any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { started: fields[19] ?? '', isEnded: fields[0] === 'Z' || fields[0] === 'X' };
}
