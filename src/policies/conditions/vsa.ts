import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import { type Fields, type Place, readFields, type ReportProblem } from '../document-reader.ts';
import { readTextRule } from '../read-match.ts';
import { describeJson } from '../seen-values.ts';
import { listAt, textAt, valueAt } from '../statement.ts';
import { type ConditionKind, type Judged, met, notMet } from './condition-kind.ts';
import { predicateTypes } from './predicate-types.ts';
import { namesArtifact } from './resource-uri.ts';
import { fits, readTexts } from './text-rule.ts';

/**
 * A verification summary that passed, by the verifier, of this artifact, with each of the levels
 * (SLSA v1, Verification Summary Attestation, "How to verify").
 */
export const vsaLevel: ConditionKind<'vsa.level'> = {
  predicateTypes: predicateTypes.vsa,
  read(place, report) {
    const known = { required: ['level'], optional: ['verifier', 'verifierPattern', 'resources'] };
    const fields = readFields(place, known, report);
    if (fields === undefined) return undefined;
    if (!fields.has('verifier') && !fields.has('verifierPattern')) {
      return report(place, 'must have verifier or verifierPattern: whose word it is');
    }
    const verifier = readTextRule('verifier', fields, report);
    const levels = readOptionalTexts('level', fields, report);
    const resources = readOptionalTexts('resources', fields, report) ?? [];
    return verifier && levels && { name: 'vsa.level', levels, verifier, resources };
  },
  judge({ levels, verifier, resources }, { statement: { predicate }, artifact }) {
    const id = textAt(predicate, 'verifier', 'id');
    if (id === undefined || !fits(verifier, id)) {
      return notMet(`verifier.id is ${describeJson(valueAt(predicate, 'verifier', 'id'))}`);
    }
    const result = valueAt(predicate, 'verificationResult');
    if (result !== 'PASSED') return notMet(`verificationResult is ${describeJson(result)}`);
    const problem = problemOfResource(textAt(predicate, 'resourceUri'), artifact, resources);
    if (problem !== undefined) return notMet(problem);
    const verified = readLevels(listAt(predicate, 'verifiedLevels') ?? []);
    if ('problem' in verified) return notMet(verified.problem);
    const missing = levels.find((level) => !verified.some((own) => covers(own, level)));
    const seen = verified.map((level) => quoted(level)).join(', ');
    return missing === undefined
      ? met(`verifiedLevels are ${seen}`)
      : notMet(`${missing} is not among verifiedLevels: ${seen || 'none'}`);
  },
};

function readOptionalTexts(
  name: string,
  fields: Fields,
  report: ReportProblem,
): NonEmpty<string> | undefined {
  const place: Place | undefined = fields.get(name);
  return place && readTexts(place, report);
}

function problemOfResource(
  uri: string | undefined,
  artifact: Judged['artifact'],
  resources: readonly string[],
): string | undefined {
  if (uri === undefined) return 'resourceUri is absent';
  const names = [artifact.repository, ...resources];
  return names.some((name) => namesArtifact(uri, name, artifact.digest))
    ? undefined
    : `resourceUri is ${quoted(uri)}, which is not ${artifact.repository}`;
}

const slsaLevel = /^(SLSA_[A-Z0-9_]+_LEVEL)_(\d{1,2})$/;

/** A summary has one level a track at most, and none that FAILED. */
function readLevels(listed: readonly unknown[]): readonly string[] | { readonly problem: string } {
  const levels = listed.filter((level) => typeof level === 'string');
  if (!isNonEmpty(levels) || levels.length < listed.length) {
    return { problem: 'verifiedLevels is no list of levels' };
  }
  if (levels.includes('FAILED')) return { problem: 'verifiedLevels has FAILED' };
  const tracks = levels.flatMap((level) => slsaLevel.exec(level)?.[1] ?? []);
  return new Set(tracks).size < tracks.length
    ? { problem: 'verifiedLevels has two levels of one track' }
    : levels;
}

/** A level of a SLSA track implies those below it; any other stands for itself. */
function covers(own: string, wanted: string): boolean {
  if (own === wanted) return true;
  const [, ownTrack, ownLevel] = slsaLevel.exec(own) ?? [];
  const [, track, level] = slsaLevel.exec(wanted) ?? [];
  return track !== undefined && ownTrack === track && Number(ownLevel) >= Number(level);
}
