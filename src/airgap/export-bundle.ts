import { type Clock, randomHex } from '../kernel/clock.ts';
import { quoted } from '../kernel/quoted.ts';
import type { Digest } from '../oci/digest.ts';
import { scopeOf } from '../oci/repository.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleDenial, BundleDocument, BundleImage, Sequence, VolumeList } from './bundle.ts';
import { writeBundleDocument } from './bundle-document.ts';
import { readBase } from './export-base.ts';
import { type ContentExport, writeContent } from './export-content.ts';
import type { ExportFolder } from './export-folder.ts';
import { endExport, takeSequence } from './export-interrupted.ts';
import type { ExportLedger, ExportRecord, OpenExport } from './export-record.ts';
import { digestOfPlan, type ExportPlan, type PlannedImage, tagName } from './plan.ts';
import { type AllowedBack, nextTags, rollbacksOf } from './tag-versions.ts';
import type { CarriedTrust } from './trust-files.ts';
import { writeVolumeList } from './volume-list.ts';

/** A target of the bundle's metadata: its bytes, or the file that has them. */
export type ExportTarget = { readonly path: string } & (
  { readonly bytes: Uint8Array } | { readonly file: string }
);

export interface BundleExport extends Pick<ContentExport, 'read' | 'onProgress'> {
  readonly stream: string;
  readonly folder: ExportFolder;
  readonly ledger: ExportLedger;
  readonly plan: ExportPlan;
  readonly kind: BundleDocument['kind'];
  /** Whose content is taken to be there; undefined: all of it comes along. */
  readonly base: Sequence | undefined;
  readonly volumeBytes: number;
  readonly trust: readonly CarriedTrust[];
  readonly revocationAsOf: Date | undefined;
  readonly denials: readonly BundleDenial[];
  readonly allowedBack: (
    image: Pick<PlannedImage, 'repository' | 'root'>,
  ) => readonly AllowedBack[];
  /** Assay's version. */
  readonly exporter: string;
  readonly clock: Clock;
  /** Told how much is to be written, when that is known. */
  readonly onBegin: (totalBytes: number) => void;
  /** Signs and writes the metadata, the timestamp last; resolves with the snapshot's SHA-256. */
  readonly sign: (
    sequence: Sequence,
    targets: readonly ExportTarget[],
    signal: AbortSignal,
  ) => Promise<Digest>;
}

export interface WrittenBundle {
  readonly sequence: Sequence;
  readonly volumes: VolumeList;
  readonly carried: Amount;
  readonly assumed: Amount;
  /** Volumes that an earlier run had written. */
  readonly resumedVolumes: number;
}

/** Of manifests and blobs. */
export interface Amount {
  readonly contents: number;
  readonly bytes: number;
}

/**
 * Writes the bundle; one that was killed goes on with its finished volumes if what is planned is
 * the same, and otherwise begins anew under another number. Throws `AirgapError`; whatever it
 * throws, the same may be tried again.
 */
export async function exportBundle(
  options: BundleExport,
  signal: AbortSignal,
): Promise<WrittenBundle> {
  const { folder, ledger, plan, base, volumeBytes } = options;
  const held = new Set(base === undefined ? [] : (await readBase(base, ledger)).held);
  const isAssumed = (digest: Digest): boolean => held.has(digest);
  const open = await beginOrResume(digestOfPlan(plan, { base, volumeBytes }), options);
  const { sequence } = open;
  const latest = await ledger.latest();
  const all = [...plan.contents.values()];
  const carried = amountOf(all.filter(({ digest }) => !isAssumed(digest)));
  options.onBegin(carried.bytes);
  const written = await writeContent(
    {
      ...options,
      sequence,
      folder: folder.path,
      contents: all,
      isAssumed,
      finished: open.volumes,
      onVolume: ({ volumes }) => ledger.setOpen({ ...open, volumes }),
    },
    signal,
  );
  const record = makeRecord(sequence, options, latest);
  const document = makeDocument(record, latest, options);
  const { volumes, indexFile } = written;
  await ledger.setOpen({ ...open, volumes: volumes.volumes, record });
  const targets = targetsOf(document, volumes, indexFile, options.trust);
  const snapshot = await options.sign(sequence, targets, signal);
  await endExport({ ...record, snapshot }, folder.path, ledger);
  return {
    sequence,
    volumes,
    carried,
    assumed: amountOf(all.filter(({ digest }) => isAssumed(digest))),
    resumedVolumes: open.volumes.length,
  };
}

async function beginOrResume(
  planDigest: string,
  { ledger, folder }: Pick<BundleExport, 'ledger' | 'folder'>,
): Promise<OpenExport> {
  const known = await ledger.open();
  const isOurs = known !== undefined && known.id === folder.unfinished?.id;
  if (isOurs && known.planDigest === planDigest && !folder.unfinished.hasMetadata) {
    await folder.resume();
    return known;
  }
  const sequence = await takeSequence(known, ledger);
  const id = randomHex(16);
  const { path } = folder;
  const open = { id, folder: path, sequence, planDigest, volumes: [], record: undefined };
  // In this order: a folder that nobody knows of is nobody's to go on with.
  await ledger.setOpen(open);
  await folder.claim(id, sequence);
  return open;
}

function makeRecord(
  sequence: Sequence,
  { stream, kind, plan, clock }: BundleExport,
  latest: ExportRecord | undefined,
): Omit<ExportRecord, 'snapshot'> {
  const isContent = kind === 'content';
  const roots = plan.images.map(({ repository, root }) => `${scopeOf(repository)}@${root.digest}`);
  return {
    stream,
    sequence,
    kind,
    created: clock.now().toISOString(),
    tags: isContent ? nextTags(plan.images, latest?.tags) : (latest?.tags ?? {}),
    roots: isContent ? [...new Set(roots)] : (latest?.roots ?? []),
    held: isContent ? [...plan.contents.keys()] : [],
  };
}

function makeDocument(
  record: Omit<ExportRecord, 'snapshot'>,
  latest: ExportRecord | undefined,
  options: BundleExport,
): BundleDocument {
  const { plan, kind, base, exporter, denials, revocationAsOf, trust, allowedBack } = options;
  const images = kind === 'content' ? plan.images : [];
  return {
    stream: record.stream,
    sequence: record.sequence,
    kind,
    base,
    previous: latest && { sequence: latest.sequence, snapshot: latest.snapshot },
    created: new Date(record.created),
    exporter,
    images: images.map((image) => toBundleImage(image, record.tags)),
    rollbacks: rollbacksOf(images, record.tags, allowedBack),
    denials,
    revocationAsOf,
    trust: trust.map(({ path, kind: what }) => ({ path, kind: what })),
  };
}

function toBundleImage(
  { repository, tag, root, children, evidence }: PlannedImage,
  tags: ExportRecord['tags'],
): BundleImage {
  const known = tag === undefined ? undefined : tags[tagName(repository, tag)];
  if (tag !== undefined && known?.digest !== root.digest) {
    const message = `the list has tag ${quoted(tag)} of ${scopeOf(repository)} for two images`;
    throw new AirgapError('EXPORT_REFUSED', message);
  }
  return {
    repository,
    tag,
    tagVersion: known?.version,
    root,
    children,
    evidence: evidence.map(({ manifest, tag: under, path }) => ({ manifest, tag: under, path })),
  };
}

function targetsOf(
  document: BundleDocument,
  volumes: VolumeList,
  indexFile: string,
  trust: readonly CarriedTrust[],
): readonly ExportTarget[] {
  return [
    { path: 'bundle.json', bytes: writeBundleDocument(document) },
    { path: 'blobs.idx', file: indexFile },
    { path: 'volumes.json', bytes: writeVolumeList(volumes) },
    ...trust.map(({ path, bytes }) => ({ path, bytes })),
  ];
}

function amountOf(contents: readonly { readonly size: number }[]): Amount {
  return { contents: contents.length, bytes: contents.reduce((sum, { size }) => sum + size, 0) };
}
