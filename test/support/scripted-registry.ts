import type { Test } from 'tap';
import { type Artifact, closureOf } from './build-image.ts';
import type { FakeRepository, ReferrersMode } from './fake-registry.ts';
import {
  type Answer,
  answerBlob,
  answerManifest,
  answerReferrers,
  answerTags,
  oci,
} from './fake-registry-answers.ts';
import {
  openScriptedUpstream,
  type ScriptedOptions,
  type ScriptedUpstream,
  type SeenRequest,
  type Step,
} from './scripted-upstream.ts';

/** What goes wrong with a request, in place of the registry's answer; undefined: nothing. */
export type Fault = (request: SeenRequest, answer: Step) => Step | undefined;

/** A registry that answers rightly until a test scripts a path or sets a fault. */
export interface ScriptedRegistry extends ScriptedUpstream {
  /** Keeps the artifact with all that it lists, and moves the tag to it. */
  put(repository: string, artifact: Artifact, tag?: string): void;
  /** Forgets a repository. */
  forget(repository: string): void;
  /** What it answers without scripts and faults. */
  answer(request: SeenRequest): Step;
  /** From now on, for every request that no script is for; undefined heals. */
  setFault(fault: Fault | undefined): void;
}

export interface ScriptedRegistryOptions extends ScriptedOptions {
  /** `api` unless told. */
  readonly referrers?: ReferrersMode;
}

/** Closed with the test. */
export async function openScriptedRegistry(
  t: Test,
  options: ScriptedRegistryOptions = {},
): Promise<ScriptedRegistry> {
  const upstream = await openScriptedUpstream(options);
  t.teardown(() => upstream.close());
  const repositories = new Map<string, FakeRepository>();
  let fault: Fault | undefined;

  const answer = (request: SeenRequest): Step =>
    route(repositories, request, options.referrers ?? 'api', upstream.origin);
  upstream.otherwise((request) => {
    const right = answer(request);
    return fault?.(request, right) ?? right;
  });
  const additions = {
    answer,
    setFault(next: Fault | undefined) {
      fault = next;
    },
    forget: (name: string) => void repositories.delete(name),
    put(name: string, artifact: Artifact, tag?: string) {
      const repository = repositories.get(name) ?? {
        manifests: new Map(),
        blobs: new Map(),
        tags: new Map(),
      };
      repositories.set(name, repository);
      const { manifests, blobs } = closureOf(artifact);
      for (const each of manifests) repository.manifests.set(each.descriptor.digest, each);
      for (const each of blobs) repository.blobs.set(each.descriptor.digest, each);
      if (tag !== undefined) repository.tags.set(tag, artifact.descriptor.digest);
    },
  };
  // Not spread: `connections` and `open` are read anew each time.
  return Object.assign(upstream, additions);
}

const endpoint =
  /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|referrers|tags)\/(?<reference>[^/]+)$/;

function route(
  repositories: ReadonlyMap<string, FakeRepository>,
  { path, target, headers }: SeenRequest,
  mode: ReferrersMode,
  origin: string,
): Step {
  const { name = '', kind = '', reference = '' } = endpoint.exec(path)?.groups ?? {};
  const repository = repositories.get(name);
  if (repository === undefined) return toStep(oci(404, 'NAME_UNKNOWN', 'no such repository'));
  const asked = new URL(target, origin);
  if (kind === 'manifests') return toStep(answerManifest(repository, reference, mode));
  if (kind === 'blobs') return toStep(answerBlob(repository, reference, headers));
  if (kind === 'tags') return toStep(answerTags(repository, asked));
  return toStep(answerReferrers(repository, reference, asked, mode));
}

function toStep({ status, headers, body }: Answer): Step {
  return { status, headers, body };
}
