import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isAttestationChild, type Manifest, partsOf } from '../oci/manifest.ts';
import { keptMs, putAgainMs } from './keeping.ts';
import { makeRecent } from './recent.ts';
import type { SealedState } from './sealed.ts';

/**
 * Which manifest names which parts, as read from admitted bytes, in one repository. It follows
 * from content-addressed bytes, so it never expires and says nothing of trust: the verdicts of
 * the roots decide. It never follows `subject`.
 */
export interface Closure {
  /** Notes every part of a manifest that was admitted. */
  record(scope: string, parent: Digest, manifest: Manifest): Promise<void>;
  /** The manifests that name the digest as their part, the one seen last first, as far as asked. */
  parentsOf(scope: string, part: Digest, ahead?: ReadAhead): AsyncIterable<Parent>;
  /** Notes that the manifest is evidence about a subject. */
  recordEvidence(scope: string, evidence: Digest, subject: Digest): Promise<void>;
  subjectOf(scope: string, evidence: Digest, ahead?: ReadAhead): Promise<Digest | undefined>;
  /** Begins to read what both will want, at the same time as whatever else is read. */
  readAhead(scope: string, digest: Digest): ReadAhead;
  /** Child manifests that are named by an index and whose own parts are not known yet. */
  unread(scope: string, limit: number): Promise<readonly Digest[]>;
}

export interface Parent {
  readonly digest: Digest;
  /** What the parent's bytes say of the part. */
  readonly part: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  readonly role: PartRole;
}

/** Neither has to be waited for. */
export interface ReadAhead {
  readonly subject: Promise<Digest | undefined>;
  /** Undefined: one is known without reading. */
  readonly parents: Promise<readonly Parent[]> | undefined;
}

export type PartRole = 'platform' | 'attestation' | 'blob';

const maxParents = 1000;
/** Of those that are read at once, with their names; there are seldom more. */
const maxAtOnce = 32;
const maxInMemory = 20_000;

const options = { keepMs: keptMs };

export function makeClosure(state: SealedState, clock: Pick<Clock, 'monotonicMs'>): Closure {
  const recorded = makeRecent<Recorded>(maxInMemory);
  const parents = makeParents(state);
  const lastSubject = makeRecent<Digest>(maxInMemory);

  const isRecorded = (name: string): boolean => {
    const known = recorded.get(name);
    if (known === undefined || known.losses !== state.losses()) return false;
    return clock.monotonicMs() - known.atMs < putAgainMs;
  };
  const subjectOf = async (scope: string, evidence: Digest): Promise<Digest | undefined> => {
    const name = evidenceName(scope, evidence);
    return lastSubject.get(name) ?? ((await state.get(name)) as Digest | undefined);
  };
  const recordPart = async (scope: string, parent: Parent): Promise<void> => {
    const part = partName(scope, parent.part.digest);
    await parents.put(part, parent);
    if (parent.role === 'blob' || isRecorded(`${scope}@${parent.part.digest}`)) return;
    await state.put(unreadName(scope, parent.part.digest), true, options);
  };

  return {
    async record(scope, digest, manifest) {
      const name = `${scope}@${digest}`;
      if (isRecorded(name)) return;
      const noted = { losses: state.losses(), atMs: clock.monotonicMs() };
      const isIndex = manifest.kind === 'index';
      await Promise.all(
        partsOf(manifest).map(async (descriptor) => {
          const { mediaType, digest: part, size } = descriptor;
          const role = isIndex ? childRole(descriptor) : 'blob';
          await recordPart(scope, { digest, part: { mediaType, digest: part, size }, role });
        }),
      );
      await state.delete(unreadName(scope, digest));
      recorded.set(name, noted);
    },
    parentsOf: (scope, part, ahead) => parents.of(partName(scope, part), ahead?.parents),
    async recordEvidence(scope, evidence, subject) {
      const name = evidenceName(scope, evidence);
      lastSubject.set(name, subject);
      await state.put(name, subject, options);
    },
    subjectOf: (scope, evidence, ahead) => ahead?.subject ?? subjectOf(scope, evidence),
    readAhead(scope, digest) {
      const subject = subjectOf(scope, digest);
      // Whoever wants it sees why it can't be read.
      subject.catch(() => undefined);
      return { subject, parents: parents.readAhead(partName(scope, digest)) };
    },
    async unread(scope, limit) {
      const prefix = unreadName(scope, '');
      const names = await state.names(prefix, limit);
      return names.map((name) => name.slice(prefix.length) as Digest);
    },
  };
}

/** The manifests that name a part, by the part's name in the state. */
function makeParents(state: SealedState) {
  const lastParent = makeRecent<Parent>(maxInMemory);
  const read = async (name: string): Promise<readonly Parent[]> =>
    (await state.values(name, maxAtOnce)) as readonly Parent[];
  return {
    async put(name: string, parent: Parent): Promise<void> {
      lastParent.set(name, parent);
      await state.put(`${name}${parent.digest}`, parent, options);
    },
    readAhead(name: string): Promise<readonly Parent[]> | undefined {
      if (lastParent.get(name) !== undefined) return undefined;
      const parents = read(name);
      parents.catch(() => undefined);
      return parents;
    },
    async *of(name: string, ahead: Promise<readonly Parent[]> | undefined): AsyncIterable<Parent> {
      const last = lastParent.get(name);
      if (last !== undefined) yield last;
      const first = await (ahead ?? read(name));
      for (const parent of first) {
        if (parent.digest === last?.digest) continue;
        // The one that is taken stays the last.
        lastParent.set(name, parent);
        yield parent;
      }
      if (first.length < maxAtOnce) return;
      const seen = new Set([last, ...first].map((parent) => parent && name + parent.digest));
      for (const other of await state.names(name, maxParents)) {
        if (seen.has(other)) continue;
        const parent = (await state.get(other)) as Parent | undefined;
        if (parent !== undefined) yield parent;
      }
    },
  };
}

/** When a manifest's parts were put into the state. */
interface Recorded {
  readonly losses: number;
  readonly atMs: number;
}

function childRole(child: Descriptor): PartRole {
  return isAttestationChild(child) ? 'attestation' : 'platform';
}

/** The part first, so that it can be found in every repository: see `holdersOf`. */
export function partName(scope: string, part: Digest): string {
  return `${partPrefix(part)}${scope}@`;
}

function partPrefix(part: Digest): string {
  return `part/${part}@`;
}

/** A manifest in a repository that names some content as its part. */
export interface Holder {
  readonly scope: string;
  readonly digest: Digest;
}

/** Every manifest that names the digest as its part, in whatever repository, at most `limit`. */
export async function holdersOf(
  state: Pick<SealedState, 'names'>,
  part: Digest,
  limit: number,
): Promise<readonly Holder[]> {
  const prefix = partPrefix(part);
  const names = await state.names(prefix, limit);
  return names.map((name) => {
    const at = name.lastIndexOf('@');
    return { scope: name.slice(prefix.length, at), digest: name.slice(at + 1) as Digest };
  });
}

export function evidenceName(scope: string, evidence: Digest): string {
  return `evidence/${scope}@${evidence}`;
}

function unreadName(scope: string, child: Digest | ''): string {
  return `unread/${scope}@${child}`;
}
