import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { leaveOut, requireRoot, requireTool } from '../../support/require-tool.ts';
import { mustRun, runCommand } from './process.ts';

/** A network of its own, with nothing in it but this machine. */
export interface NetworkNamespace {
  /** The path of a program that is the given one, in there. */
  enclose(program: string): string;
}

/** Made with no way out. Undefined where nobody may, which has been reported then. */
export async function openNetworkNamespace(
  t: Test,
  folder: string,
): Promise<NetworkNamespace | undefined> {
  const ip = requireTool(t, 'ip');
  if (ip === undefined || !requireRoot(t, 'makes network namespaces')) return undefined;
  const name = `assay-${process.pid}`;
  const { code, output } = await runCommand(ip, ['netns', 'add', name]);
  if (code !== 0) {
    // Root in a container may not be allowed to.
    leaveOut(t, `no network namespace can be made here: ${output.trim()}`);
    return undefined;
  }
  const remove = (): unknown => execFileSync(ip, ['netns', 'delete', name]);
  // A test that crashes tears nothing down.
  process.once('exit', remove);
  t.teardown(async () => {
    process.off('exit', remove);
    remove();
  });
  await mustRun(ip, ['netns', 'exec', name, ip, 'link', 'set', 'lo', 'up']);
  const place = join(folder, 'enclosed');
  mkdirSync(place, { recursive: true });
  return {
    enclose(program) {
      const path = join(place, basename(program));
      writeFileSync(path, `#!/bin/sh\nexec ${ip} netns exec ${name} ${program} "$@"\n`, {
        mode: 0o755,
      });
      return path;
    },
  };
}
