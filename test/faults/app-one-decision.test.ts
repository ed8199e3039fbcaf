import * as fc from 'fast-check';
import t from 'tap';
import type { Digest } from '../../src/oci/digest.ts';
import { type AppKit, type Reply, signatureOf, startAppKit, stranger } from '../support/app-kit.ts';
import {
  type Artifact,
  type BuiltBlob,
  buildBlob,
  buildImage,
  buildIndex,
  buildManifest,
  closureOf,
} from '../support/build-image.ts';
import { holds } from '../support/holds.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

/**
 * Whatever is asked for in whatever order and form, the decision is the one that a small model
 * makes: GET, HEAD, Range and conditional requests agree, by tag and by digest, first or again.
 */

interface World {
  readonly signed: Artifact;
  readonly index: Artifact;
  readonly unsigned: Artifact;
  readonly strangers: Artifact;
  readonly unsignedIndex: Artifact;
  readonly signatures: readonly Artifact[];
  readonly sbom: Artifact;
  /** An SBOM of what is denied. */
  readonly orphan: Artifact;
}

/** A world of its own for each sequence, so that nothing is known of it yet. */
function makeWorld(name: string): World {
  const signed = buildImage({ name: `${name}/signed` });
  const index = buildIndex({ name: `${name}/index`, attestation: 'with' });
  const unsigned = buildImage({ name: `${name}/unsigned` });
  const strangers = buildImage({ name: `${name}/strangers` });
  const spdx = buildBlob('application/spdx+json', `{"name":"${name}"}`);
  const sbomOf = ({ descriptor }: Artifact): Artifact =>
    buildManifest({
      artifactType: 'application/spdx+json',
      layers: [spdx],
      subject: descriptor,
    });
  return {
    signed,
    index,
    unsigned,
    strangers,
    // What is signed by itself stays so in an index that is not.
    unsignedIndex: buildIndex({ name: `${name}/unsigned`, children: [signed, unsigned] }),
    signatures: [
      signatureOf(signed.descriptor),
      signatureOf(index.descriptor),
      signatureOf(strangers.descriptor, { chain: stranger }),
    ],
    sbom: sbomOf(signed),
    orphan: sbomOf(unsigned),
  };
}

interface Target {
  readonly what: string;
  readonly path: string;
  /** What is asked for, and as what. */
  readonly digest: Digest;
  readonly size: number;
  readonly kind: 'manifest' | 'blob';
  readonly artifact: Artifact | undefined;
}

function targetsOf(world: World): readonly Target[] {
  const { signatures, signed, index, unsigned, strangers, unsignedIndex, sbom, orphan } = world;
  const tagged = { signed, index, unsigned, strangers, unsignedIndex };
  const roots = [signed, index, unsigned, strangers, unsignedIndex, ...signatures, sbom, orphan];
  const manifests = new Map<string, Artifact>();
  const blobs = new Map<string, BuiltBlob>();
  for (const closure of roots.map(closureOf)) {
    for (const each of closure.manifests) manifests.set(each.descriptor.digest, each);
    for (const each of closure.blobs) blobs.set(each.descriptor.digest, each);
  }
  const target = (what: string, path: string, each: BuiltBlob, artifact?: Artifact): Target => ({
    what,
    path,
    digest: each.descriptor.digest,
    size: each.bytes.length,
    kind: path.startsWith('blobs/') ? 'blob' : 'manifest',
    artifact,
  });
  return [
    ...Object.entries(tagged).map(([tag, each]) =>
      target(`tag ${tag}`, `manifests/${tag}`, each, each),
    ),
    ...[...manifests.values()].flatMap((each) => [
      target('manifest', `manifests/${each.descriptor.digest}`, each, each),
      target('manifest as blob', `blobs/${each.descriptor.digest}`, each, each),
    ]),
    ...[...blobs.values()].map((each) => target('blob', `blobs/${each.descriptor.digest}`, each)),
  ];
}

/** What may be served, as it becomes known by what was asked for. */
interface Model {
  /** Whether the target is served now; notes what becomes known by that. */
  ask(target: Target): boolean;
}

function makeModel(world: World): Model {
  const { signed, index, signatures, sbom } = world;
  const trusted = new Set<string>([signed, index].map(({ descriptor }) => descriptor.digest));
  const evidence = new Set<string>(
    [...signatures.slice(0, 2), sbom].map(({ descriptor }) => descriptor.digest),
  );
  const known = new Set<string>();
  const knownBlobs = new Set<string>();

  const admit = (artifact: Artifact): void => {
    for (const { descriptor } of artifact.blobs) knownBlobs.add(descriptor.digest);
    for (const child of artifact.children) {
      known.add(child.descriptor.digest);
      // The parts of a child are found through the index, though nobody asked for the child yet.
      for (const { descriptor } of child.blobs) knownBlobs.add(descriptor.digest);
    }
  };
  return {
    ask({ digest, artifact }) {
      if (artifact === undefined) return knownBlobs.has(digest);
      const isServed = trusted.has(digest) || evidence.has(digest) || known.has(digest);
      if (isServed) admit(artifact);
      return isServed;
    },
  };
}

const forms = {
  get: { method: 'GET' },
  head: { method: 'HEAD' },
  'get if changed': { method: 'GET', ifNoneMatch: true },
  'head if changed': { method: 'HEAD', ifNoneMatch: true },
  'get if any': { method: 'GET', ifNoneMatch: '*' },
  'get if other': { method: 'GET', ifNoneMatch: '"sha256:0"' },
  'first bytes': { method: 'GET', range: 'bytes=0-9' },
  'last bytes': { method: 'GET', range: 'bytes=-5' },
  'head of a part': { method: 'HEAD', range: 'bytes=0-9' },
  'past the end': { method: 'GET', range: 'bytes=99999999-' },
} as const;

interface Form {
  readonly method: string;
  readonly ifNoneMatch?: true | string;
  readonly range?: string;
}

/** Statuses that say yes in each form: which of them is the form's own matter. */
function saysYes(form: Form, { kind }: Target): readonly number[] {
  if (form.ifNoneMatch === true || form.ifNoneMatch === '*') return [304];
  if (form.range === undefined || form.method === 'HEAD' || kind === 'manifest') return [200];
  return form.range === 'bytes=99999999-' ? [416] : [200, 206];
}

async function ask(kit: AppKit, target: Target, form: Form, repository: string): Promise<Reply> {
  const etag = form.ifNoneMatch === true ? `"${target.digest}"` : form.ifNoneMatch;
  const headers = {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(form.range !== undefined && { range: form.range }),
  };
  return kit.ask(`reg/${repository}/${target.path}`, { method: form.method, headers });
}

function fault(reply: Reply, target: Target, form: Form, isServed: boolean): string | undefined {
  const expected = isServed ? saysYes(form, target) : [403];
  if (!expected.includes(reply.status)) return `${reply.status} for ${expected.join(' or ')}`;
  if (!isServed) return undefined;
  const { headers, status, body } = reply;
  if (status === 416) return undefined;
  if (headers.get('docker-content-digest') !== target.digest) return 'another digest';
  if (headers.get('etag') !== `"${target.digest}"`) return 'another ETag';
  if (status === 304) return body.length === 0 ? undefined : 'a body with 304';
  const length = Number(headers.get('content-length'));
  if (status === 200 && length !== target.size) return `a length of ${length}`;
  const stated = form.method === 'HEAD' ? 0 : length;
  return body.length === stated ? undefined : `${body.length} bytes of ${stated}`;
}

interface Played {
  readonly repository: string;
  readonly targets: readonly Target[];
  readonly model: Model;
}

t.test('every form of asking gets the same decision, in every order', async (t) => {
  const registry = await openScriptedRegistry(t);
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin } });
  const played: Played[] = [];
  const served = { yes: 0, no: 0 };

  const begin = (): Played => {
    const repository = `world${played.length}`;
    const world = makeWorld(repository);
    const { signatures, sbom, orphan, ...tagged } = world;
    for (const [tag, artifact] of Object.entries(tagged)) registry.put(repository, artifact, tag);
    for (const each of [...signatures, sbom, orphan]) registry.put(repository, each);
    const begun = { repository, targets: targetsOf(world), model: makeModel(world) };
    played.push(begun);
    return begun;
  };
  const step = async (
    app: AppKit,
    { repository, model }: Played,
    target: Target,
    name: keyof typeof forms,
  ): Promise<void> => {
    const isServed = model.ask(target);
    const reply = await ask(app, target, forms[name], repository);
    served[isServed ? 'yes' : 'no'] += 1;
    const wrong = fault(reply, target, forms[name], isServed);
    if (wrong !== undefined) throw new Error(`${name} of ${target.what} ${target.path}: ${wrong}`);
  };

  const formNames = Object.keys(forms) as (keyof typeof forms)[];
  const asks = fc.array(fc.record({ target: fc.nat(1000), form: fc.constantFrom(...formNames) }), {
    minLength: 5,
    maxLength: 100,
    size: 'max',
  });
  const property = fc.asyncProperty(asks, async (sequence) => {
    const world = begin();
    const { targets } = world;
    for (const { target, form } of sequence) {
      await step(kit, world, targets[target % targets.length]!, form);
    }
  });
  await holds(t, 'the answers are those of the model', property);

  const restarted = await kit.restarted();
  for (const world of played.slice(-4)) {
    for (const [at, target] of world.targets.entries()) {
      await step(restarted, world, target, formNames[at % formNames.length]!);
      await step(restarted, world, target, 'get');
    }
  }
  t.pass('and they are after a restart');
  t.ok(served.yes > 20 && served.no > 20, `${served.yes} yes, ${served.no} no`);
});
