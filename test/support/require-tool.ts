import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';

/**
 * The path of a real tool that a test compares with: from $ASSAY_TOOLS/bin, the tool cache or
 * PATH. Where it is missing the test is skipped with the reason in its output, or fails where
 * ASSAY_REQUIRE_TOOLS=1 says that this machine must have it; the caller returns on undefined.
 */
export function requireTool(t: Test, name: string): string | undefined {
  const found = findTool(name);
  if (found !== undefined) return found;
  leaveOut(t, `${name} is in none of $ASSAY_TOOLS/bin, ~/.cache/assay-tools/bin and PATH`);
  return undefined;
}

/** Whether we are root, who may mount, trace and start what others may not; skips as above. */
export function requireRoot(t: Test, what: string): boolean {
  if (process.getuid?.() === 0) return true;
  leaveOut(t, `only root ${what}`);
  return false;
}

/** Skips what can not be done here, or fails where nothing may be skipped. */
export function leaveOut(t: Test, why: string): void {
  if (process.env['ASSAY_REQUIRE_TOOLS'] === '1') t.fail(why);
  else t.pass(`not run: ${why}`, { skip: why });
}

export function findTool(name: string): string | undefined {
  return toolFolders()
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function toolFolders(): readonly string[] {
  const { ASSAY_TOOLS: tools, PATH: path = '' } = process.env;
  return [
    ...(tools === undefined ? [] : [join(tools, 'bin')]),
    join(homedir(), '.cache', 'assay-tools', 'bin'),
    ...path.split(delimiter).filter((folder) => folder !== ''),
  ];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
