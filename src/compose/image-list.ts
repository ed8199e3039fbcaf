import { describeProblems, type Problem } from '../files/problem.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { readYaml } from '../files/yaml.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Repository } from '../oci/repository.ts';
import {
  makeReport,
  type Place,
  readFields,
  readItems,
  readText,
  type ReportProblem,
} from '../policies/document-reader.ts';
import { ImageNameError, type ImageName, readImageName } from './image-name.ts';
import { ImageListError } from './image-list-error.ts';
import { readFailure } from './read-failure.ts';
import { readTagPatterns } from './tag-patterns.ts';
import type { TextMatch } from '../verdict/sigstore-requirement.ts';

/** One image of the list. */
export interface ListedImage extends ImageName {
  /** As it is written. */
  readonly text: string;
  /** Only these of a multi-platform image; undefined: all of it. */
  readonly platforms: readonly Platform[] | undefined;
}

/** Those images of a repository whose tags match a pattern: `listedImages` finds them. */
export interface ListedTags extends Pick<ListedImage, 'platforms'> {
  readonly repository: Repository;
  readonly tags: NonEmpty<TextMatch>;
}

export type ListedEntry = ListedImage | ListedTags;

const maxBytes = 8 * 1024 * 1024;
const maxImages = 10_000;
const maxPlatforms = 50;
const keys = { required: ['reference'], optional: ['platforms'] };
const patternKeys = { required: ['repository', 'tags'], optional: ['platforms'] };

/**
 * Reads `images:`, references each by itself or with `platforms`, and repositories with patterns
 * of `tags`. Throws `ImageListError` with all problems at once; names must begin with one of the
 * upstreams.
 */
export async function readImageList(
  file: string,
  upstreams: readonly string[],
): Promise<readonly ListedEntry[]> {
  const { root, problems: found } = readYaml(await readListText(file));
  const problems: Problem[] = [...found];
  const report = makeReport(problems);
  const place = root && { node: root, path: '' };
  const fields = place && readFields(place, { required: ['images'] }, report);
  const list = fields?.get('images');
  const items = list && readItems(list, maxImages, report);
  const images = items?.map((item) => readEntry(item, upstreams, report)) ?? [];
  if (problems.length > 0) throw new ImageListError(describeProblems(file, problems));
  return images.filter((image) => image !== undefined);
}

async function readListText(file: string): Promise<string> {
  try {
    return await readTextFileBounded(file, maxBytes);
  } catch (cause) {
    throw new ImageListError([`${file} can not be read: ${readFailure(cause)}`], { cause });
  }
}

function readEntry(
  place: Place,
  upstreams: readonly string[],
  report: ReportProblem,
): ListedEntry | undefined {
  const { node } = place;
  const hasPatterns = node.kind === 'map' && node.entries.some(({ key }) => key === 'tags');
  return hasPatterns ? readTags(place, upstreams, report) : readImage(place, upstreams, report);
}

function readTags(
  place: Place,
  upstreams: readonly string[],
  report: ReportProblem,
): ListedTags | undefined {
  const fields = readFields(place, patternKeys, report);
  const named = fields?.get('repository');
  const listed = fields?.get('tags');
  const tags = listed && readTagPatterns(listed, report);
  const platformsPlace = fields?.get('platforms');
  const platforms = platformsPlace && readPlatforms(platformsPlace, report);
  const text = named && readText(named, report);
  if (named === undefined || text === undefined) return undefined;
  const name = readName(named, text, upstreams, report);
  if (name === undefined || tags === undefined) return undefined;
  if (/@|:[^/]*$/.test(text)) {
    return report(named, 'names a repository alone: its tags are what `tags` matches');
  }
  return { repository: name.repository, tags, platforms };
}

function readImage(
  place: Place,
  upstreams: readonly string[],
  report: ReportProblem,
): ListedImage | undefined {
  const fields = place.node.kind === 'map' ? readFields(place, keys, report) : undefined;
  const named = place.node.kind === 'map' ? fields?.get('reference') : place;
  const text = named && readText(named, report);
  if (named === undefined || text === undefined) return undefined;
  const platformsPlace = fields?.get('platforms');
  const platforms = platformsPlace && readPlatforms(platformsPlace, report);
  const name = readName(named, text, upstreams, report);
  return name && { text, platforms, ...name };
}

function readName(
  place: Place,
  text: string,
  upstreams: readonly string[],
  report: ReportProblem,
): ImageName | undefined {
  try {
    return readImageName(text, upstreams);
  } catch (error) {
    if (!(error instanceof ImageNameError)) throw error;
    return report(place, messageOf(error));
  }
}

function readPlatforms(place: Place, report: ReportProblem): readonly Platform[] | undefined {
  const items = readItems(place, maxPlatforms, report);
  // One that does not load has been reported, and so the list is not used.
  return items?.map((item) => readPlatform(item, report)).filter((each) => each !== undefined);
}

const platformPattern = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/;

function readPlatform(place: Place, report: ReportProblem): Platform | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  const [, os, architecture, variant] = platformPattern.exec(text) ?? [];
  if (os === undefined || architecture === undefined) {
    return report(
      place,
      `${quoted(text)} is no platform: write os/architecture or os/architecture/variant`,
    );
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
