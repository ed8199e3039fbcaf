import { isNonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import { readOneOf, type ReportProblem, type Place } from '../document-reader.ts';
import { matchesGlob } from '../scope.ts';
import type { Statement } from '../statement.ts';
import type { Component, Components } from './component.ts';
import { sbomFormats } from './condition.ts';
import { type ConditionKind, met, notMet } from './condition-kind.ts';
import { readCycloneDx } from './cyclonedx.ts';
import { familyOf, predicateTypes } from './predicate-types.ts';
import { readSpdx } from './spdx.ts';
import { readTexts } from './text-rule.ts';

const sbomTypes = [...predicateTypes.spdx, ...predicateTypes.cyclonedx];

/** An SBOM that can be read and lists something. */
export const sbomPresent: ConditionKind<'sbom.present'> = {
  predicateTypes: sbomTypes,
  read(place, report) {
    const format = readOneOf(place, sbomFormats, report);
    return format && { name: 'sbom.present', format };
  },
  judge({ format }, { statement }) {
    const family = familyOf(statement.predicateType);
    if (format !== 'any' && format !== family) return notMet(`it is ${family}, not ${format}`);
    const components = componentsOf(statement);
    if ('problem' in components) return notMet(components.problem);
    if (!isNonEmpty(components)) return notMet('the SBOM lists nothing');
    return met(`the SBOM lists ${components.length} components`);
  },
};

/**
 * No component names one of the licences, be it as one of several to choose from. A component of
 * which nothing is said counts as `NOASSERTION`, which may be listed too.
 */
export const sbomNoLicense: ConditionKind<'sbom.noLicense'> = {
  predicateTypes: sbomTypes,
  read(place, report) {
    const licenses = readLicenses(place, report);
    return licenses && { name: 'sbom.noLicense', licenses };
  },
  judge({ licenses }, { statement }) {
    const components = componentsOf(statement);
    if ('problem' in components) return notMet(components.problem);
    if (!isNonEmpty(components)) return notMet('the SBOM lists nothing');
    const refused = licenses.map((license) => license.toLowerCase().split('*'));
    for (const component of components) {
      const named = namedIn(component).find((license) =>
        refused.some((parts) => matchesParts(parts, license.toLowerCase())),
      );
      if (named === undefined) continue;
      return notMet(`component ${quoted(component.name)} has license ${quoted(named)}`);
    }
    return met(`none of ${components.length} components has one of the licenses`);
  },
};

/** Parts between stars; one part alone has none. */
function matchesParts(parts: readonly string[], text: string): boolean {
  return parts.length === 1 ? parts[0] === text : matchesGlob(parts, text);
}

function readLicenses(place: Place, report: ReportProblem): ReturnType<typeof readTexts> {
  const texts = readTexts(place, report);
  const strange = texts?.find((text) => !/^[A-Za-z0-9.*+:-]{1,128}$/.test(text));
  if (strange === undefined) return texts;
  return report(place, `${quoted(strange)} is no SPDX identifier: write one license an item`);
}

function componentsOf({ predicateType, predicate }: Statement): Components {
  return familyOf(predicateType) === 'spdx' ? readSpdx(predicate) : readCycloneDx(predicate);
}

/** SPDX Specification 2.3, annex D: identifiers of an expression, without `+` for "or later". */
function namedIn({ licenses }: Component): readonly string[] {
  if (licenses.length === 0) return ['NOASSERTION'];
  return licenses.flatMap((text) => [
    text,
    ...text
      .split(/[\s()]+/)
      .filter((word) => word !== '')
      .flatMap((word) => [word, word.replace(/\+$/, '')]),
  ]);
}
