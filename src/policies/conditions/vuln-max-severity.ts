import { quoted } from '../../kernel/quoted.ts';
import { readFields, readOneOf } from '../document-reader.ts';
import { severities } from './condition.ts';
import { type ConditionKind, met, notMet } from './condition-kind.ts';
import { predicateTypes } from './predicate-types.ts';
import { readTexts } from './text-rule.ts';
import { rankOf, vulnerabilitiesOf, type Vulnerability } from './vulnerabilities.ts';

const levels = ['none', ...severities] as const;
const maxNamed = 3;

/** No finding is worse than that. A severity that nobody knows is, unless it is tolerated. */
export const vulnMaxSeverity: ConditionKind<'vuln.maxSeverity'> = {
  predicateTypes: [
    ...predicateTypes.cosignVulnerabilities,
    ...predicateTypes.inTotoVulnerabilities,
    ...predicateTypes.cyclonedx,
  ],
  read(place, report) {
    const name = 'vuln.maxSeverity';
    if (place.node.kind !== 'map') {
      const severity = readOneOf(place, levels, report);
      return severity && { name, severity, unknown: 'refused', except: [] };
    }
    const known = { required: ['severity'], optional: ['unknown', 'except'] };
    const fields = readFields(place, known, report);
    const severityPlace = fields?.get('severity');
    const severity = severityPlace && readOneOf(severityPlace, levels, report);
    const unknownPlace = fields?.get('unknown');
    const unknown =
      unknownPlace === undefined
        ? 'refused'
        : readOneOf(unknownPlace, ['refused', 'tolerated'], report);
    const exceptPlace = fields?.get('except');
    const except = exceptPlace === undefined ? [] : readTexts(exceptPlace, report);
    if (severity === undefined || unknown === undefined || except === undefined) return undefined;
    return { name, severity, unknown, except };
  },
  judge({ severity, unknown, except }, { statement }) {
    const found = vulnerabilitiesOf(statement);
    if ('problem' in found) return notMet(found.problem);
    const isTooBad = ({ id, severity: own }: Vulnerability): boolean => {
      if (except.includes(id)) return false;
      return own === undefined ? unknown === 'refused' : rankOf(own) > rankOf(severity);
    };
    const bad = found.filter(isTooBad);
    if (bad.length === 0)
      return met(`none of ${found.length} vulnerabilities is above ${severity}`);
    const named = bad
      .slice(0, maxNamed)
      .map((one) => `${quoted(one.id)} (${one.severity ?? 'of unknown severity'})`);
    const more = bad.length > maxNamed ? ` and ${bad.length - maxNamed} more` : '';
    return notMet(`above ${severity}: ${named.join(', ')}${more}`);
  },
};
