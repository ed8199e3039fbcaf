import { writeFile } from 'node:fs/promises';
import { mustRun } from '../interop/support/process.ts';

/** Processor time of this process, all of its threads, in milliseconds. */
export async function ownMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Of all child processes of one shell, whose `times` says it to the millisecond. */
export async function childrenMs(
  scriptFile: string,
  lines: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  await writeFile(scriptFile, `exec 3>&1 >/dev/null 2>&1\n${lines.join('\n')}\ntimes >&3\n`);
  const output = await mustRun('bash', [scriptFile], { env });
  const [, children = ''] = output.trim().split('\n');
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  if (seconds.length !== 2) throw new Error(`the shell said ${output}`);
  return seconds.reduce((sum, each) => sum + each, 0) * 1000;
}
