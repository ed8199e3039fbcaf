import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';

interface Locked {
  readonly version: string;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
}

const root = join(import.meta.dirname, '..', '..');
const project = await readJson<{
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
  allowScripts: Readonly<Record<string, boolean>>;
}>('package.json');
const { packages } = await readJson<{ packages: Readonly<Record<string, Locked>> }>(
  'package-lock.json',
);

t.test('every direct dependency is one exact version', async (t) => {
  const all = Object.entries({ ...project.dependencies, ...project.devDependencies });
  t.ok(all.length > 20);
  t.strictSame(
    all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  );
});

// npm leaves out of a new lock what the registry does not have for other platforms, and then
// `npm ci` refuses that lock.
t.test('the lock names what other platforms need', async (t) => {
  const optional = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })),
  );
  t.ok(optional.length > 50);
  t.strictSame(
    optional.filter(({ path, name }) => !isLocked(path, name)),
    [],
  );
});

t.test('only packages that were considered may run a script when they are installed', async (t) => {
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  // fsevents is for another system.
  const here = scripted.filter((name) => name !== 'fsevents');
  t.strictSame(new Set(Object.keys(project.allowScripts)), new Set(here));
});

/** Whether Node's look-up from a package's folder upwards meets the name. */
function isLocked(path: string, name: string): boolean {
  const folders = path.split('/node_modules/');
  return folders.some((_, index) => {
    const folder = folders.slice(0, folders.length - index).join('/node_modules/');
    return `${folder}/node_modules/${name}` in packages || `node_modules/${name}` in packages;
  });
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(root, name), 'utf8')) as T;
}
