import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { Test } from 'tap';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { type AppKit, reasonOf, startAt, writeConfiguration } from '../../support/app-kit.ts';
import { type Artifact, buildImage } from '../../support/build-image.ts';
import { requireTool } from '../../support/require-tool.ts';
import { runInProcess } from '../../support/run-assay.ts';
import { type CosignHome, makeCosignHome } from './cosign-home.ts';
import { type Registry, type RegistryKind, startRegistry } from './registries.ts';
import { putArtifact } from './registry-writer.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** An image in a repository of its own of a real registry. */
export interface Pushed {
  readonly registry: Registry;
  readonly repository: string;
  readonly artifact: Artifact;
  /** By digest, for tools that go to the registry itself. */
  readonly reference: string;
}

/** What the whole app says of an image: `assay verify`, and a pull. */
export interface Judged {
  readonly exitCode: number | null;
  readonly verdict: Verdict;
  readonly status: number;
  readonly reason: string | undefined;
}

/** The checks that failed, of all signatures that were looked at, each once. */
export function failedChecks({ verdict }: Judged): readonly string[] {
  const checks = verdict.reports.flatMap((report) => report.checks);
  const failed = checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'inconclusive');
  return [...new Set(failed.map(({ id }) => id))];
}

/** The two that matter. */
export const outcomes = {
  trusted: { exitCode: 0, verdict: { kind: 'trusted' }, status: 200 },
  refused: { exitCode: 1, verdict: { kind: 'untrusted' }, status: 403 },
} as const;

/** Real registries, real cosigns, and the app before them. */
export interface CosignKit {
  readonly folder: string;
  readonly registries: Readonly<Record<string, Registry>>;
  /** Another name gives another image. */
  push(kind: RegistryKind, repository: string): Promise<Pushed>;
  /** cosign 2 or 3 with a key of its own, which is the same for the same name. */
  home(name: string, tool: CosignTool, key?: KeyObject): Promise<CosignHome>;
}

export type CosignTool = 'cosign' | 'cosign2';

/** Undefined where a program is missing, which has been reported then. */
export async function openCosignKit(
  t: Test,
  kinds: readonly RegistryKind[],
): Promise<CosignKit | undefined> {
  const programs = new Map(
    (['cosign', 'cosign2'] as const).map((name) => [name, requireTool(t, name)]),
  );
  const folder = await makeTemporaryFolder(t);
  const started = await Promise.all(
    kinds.map((kind) => startRegistry(t, kind, join(folder, kind))),
  );
  const registries = new Map(kinds.map((kind, index) => [kind, started[index]]));
  const isWhole = [...programs.values(), ...registries.values()].every((one) => one !== undefined);
  if (!isWhole) return undefined;
  const homes = new Map<string, Promise<void>>();
  return {
    folder,
    registries: Object.fromEntries(
      [...registries].map(([kind, registry]) => [kind, registry as Registry]),
    ),
    async push(kind, repository) {
      const registry = registries.get(kind);
      if (registry === undefined) throw new TypeError(`no registry ${kind} was started`);
      const artifact = buildImage({ name: `${kind}/${repository}`, layerSizes: [64] });
      await putArtifact({ origin: registry.origin, repository }, artifact, 'it');
      const reference = `${registry.address}/${repository}@${artifact.descriptor.digest}`;
      return { registry, repository, artifact, reference };
    },
    async home(name, tool, key) {
      const place = join(folder, 'homes', name);
      // One after the other: the first makes the key.
      const before = homes.get(name) ?? Promise.resolve();
      const home = before.then(() => makeCosignHome(programs.get(tool) ?? '', place, key));
      homes.set(
        name,
        home.then(() => undefined),
      );
      return home;
    },
  };
}

export interface PolicyOptions {
  readonly identities: Readonly<Record<string, object>>;
  readonly rules: readonly object[];
  /** Beside the configuration. */
  readonly files?: Readonly<Record<string, string>>;
  readonly trust?: object;
}

/** Starts the app under this policy; what it answers is as a client and `assay verify` see it. */
export async function startJudge(
  t: Test,
  { registries }: Pick<CosignKit, 'registries'>,
  { identities, rules, files = {}, trust = {} }: PolicyOptions,
): Promise<{ readonly app: AppKit; readonly judge: (pushed: Pushed) => Promise<Judged> }> {
  const upstreams = Object.fromEntries(
    Object.values(registries).map(({ key, origin }) => [key, origin]),
  );
  const config = { trust: { store: './trust', ...trust } };
  const file = writeConfiguration(t, { upstreams, identities, rules, files, config });
  const app = await startAt(t, file);
  return {
    app,
    async judge({ registry, repository, artifact }) {
      const { digest } = artifact.descriptor;
      const name = `${registry.key}/${repository}`;
      const run = await runInProcess(['verify', `${name}@${digest}`, '--json', '--config', file]);
      const pulled = await app.ask(`${name}/manifests/${digest}`);
      const { verdict } = JSON.parse(run.stdout) as { verdict: Verdict };
      const { status } = pulled;
      return { exitCode: run.code, verdict, status, reason: reasonOf(pulled) };
    },
  };
}
