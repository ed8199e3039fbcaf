import { isNonEmpty } from '../../kernel/non-empty.ts';
import { isObject, type Json } from '../../kernel/json.ts';
import { quoted } from '../../kernel/quoted.ts';
import { readFields } from '../document-reader.ts';
import { readTextRule } from '../read-match.ts';
import { describeJson } from '../seen-values.ts';
import { type Statement, textAt, valueAt } from '../statement.ts';
import type { TextRule } from './condition.ts';
import { type ConditionKind, met, notMet } from './condition-kind.ts';
import { predicateTypes } from './predicate-types.ts';
import { exactRule, fits, readTexts } from './text-rule.ts';

/** SLSA v1, Provenance: `runDetails.builder.id`; v0.2: `builder.id`. */
export const slsaBuilder: ConditionKind<'slsa.builder'> = {
  predicateTypes: predicateTypes.slsa,
  read(place, report) {
    if (place.node.kind !== 'map') {
      const ids = readTexts(place, report)?.map(exactRule) ?? [];
      return isNonEmpty(ids) ? { name: 'slsa.builder', ids } : undefined;
    }
    const fields = readFields(place, { optional: ['id', 'idPattern'] }, report);
    if (fields?.size === 0) return report(place, 'must have id or idPattern');
    const id = fields && readTextRule('id', fields, report);
    return id && { name: 'slsa.builder', ids: [id] };
  },
  judge({ ids }, { statement }) {
    const path = isV1(statement) ? ['runDetails', 'builder', 'id'] : ['builder', 'id'];
    const id = valueAt(statement.predicate, ...path);
    const saw = `${path.join('.')} is ${describeJson(id)}`;
    return typeof id === 'string' && ids.some((rule) => fits(rule, id)) ? met(saw) : notMet(saw);
  },
};

/** Where a build took its source from; each that is named must be the one that is wanted. */
interface Source {
  readonly repository: string;
  readonly ref: string | undefined;
  readonly path: string | undefined;
}

export const slsaSource: ConditionKind<'slsa.source'> = {
  predicateTypes: predicateTypes.slsa,
  read(place, report) {
    const names = ['repository', 'ref', 'path'];
    const optional = names.flatMap((name) => [name, `${name}Pattern`]);
    const fields = readFields(place, { optional }, report);
    if (fields === undefined) return undefined;
    if (!fields.has('repository') && !fields.has('repositoryPattern')) {
      return report(place, 'must have repository or repositoryPattern');
    }
    const repository = readTextRule('repository', fields, report);
    const ref = readTextRule('ref', fields, report);
    const path = readTextRule('path', fields, report);
    return repository && { name: 'slsa.source', repository, ref, path };
  },
  judge({ repository, ref, path }, { statement }) {
    const sources = isV1(statement) ? sourcesOfV1(statement) : sourcesOfV02(statement);
    if (!isNonEmpty(sources)) return notMet('the provenance names no source that is known here');
    const strange = sources.find(
      (source) =>
        source === undefined ||
        !fits(repository, source.repository) ||
        !isAsWanted(ref, source.ref) ||
        !isAsWanted(path, source.path),
    );
    return sources.includes(strange)
      ? notMet(describeSource(strange))
      : met(describeSource(sources[0]));
  },
};

function isAsWanted(rule: TextRule | undefined, text: string | undefined): boolean {
  return rule === undefined || (text !== undefined && fits(rule, text));
}

function describeSource(source: Source | undefined): string {
  if (source === undefined) return 'it names a source that can not be read';
  const { repository, ref, path } = source;
  const at = ref === undefined ? '' : ` at ${quoted(ref)}`;
  return `the source is ${quoted(repository)}${at}${path === undefined ? '' : `, ${quoted(path)}`}`;
}

function isV1({ predicateType }: Statement): boolean {
  return predicateType === predicateTypes.slsa[0];
}

/**
 * SLSA v1 leaves it to the build type where the source stands among the external parameters. These
 * are the places of GitHub's, slsa-github-generator's, Google Cloud Build's and BuildKit's types.
 */
const placesInV1 = ['workflow', 'source', 'sourceToBuild', 'configSource'] as const;

function sourcesOfV1({ predicate }: Statement): readonly (Source | undefined)[] {
  const parameters = valueAt(predicate, 'buildDefinition', 'externalParameters');
  return placesInV1.flatMap((place) => {
    const given = valueAt(parameters, place);
    return given === undefined ? [] : [readSource(given)];
  });
}

function sourcesOfV02({ predicate }: Statement): readonly (Source | undefined)[] {
  const given = valueAt(predicate, 'invocation', 'configSource');
  if (given === undefined) return [];
  const path = textAt(given, 'entryPoint');
  const source = readSource(given);
  return [source && { ...source, path }];
}

function readSource(given: Json): Source | undefined {
  if (typeof given === 'string') return parseSource(given);
  if (!isObject(given)) return undefined;
  const path = textAt(given, 'path');
  const uri = textAt(given, 'uri');
  const repository = textAt(given, 'repository');
  if (uri !== undefined && repository !== undefined) return undefined;
  if (uri !== undefined) {
    const source = parseSource(uri);
    return source && { ...source, path };
  }
  const parsed = repository === undefined ? undefined : parseSource(repository);
  if (parsed === undefined || parsed.ref !== undefined) return undefined;
  return { ...parsed, ref: textAt(given, 'ref'), path };
}

/** `git+https://github.com/acme/app.git@refs/heads/main`, as SPDX download locations are; `#` too. */
function parseSource(uri: string): Source | undefined {
  const match = /^(?:git\+)?(https?:\/\/[^@#\s]+?)(?:\.git)?\/?(?:[@#]([^@#\s]+))?$/.exec(uri);
  const [, repository, ref] = match ?? [];
  return repository === undefined ? undefined : { repository, ref, path: undefined };
}
