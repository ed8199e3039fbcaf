import type { Condition, ConditionName } from './condition.ts';
import type { ConditionKind, Judged, Judgement } from './condition-kind.ts';
import { sbomNoLicense, sbomPresent } from './sbom.ts';
import { slsaBuilder, slsaSource } from './slsa.ts';
import { vexStatus } from './vex.ts';
import { vsaLevel } from './vsa.ts';
import { vulnMaxSeverity } from './vuln-max-severity.ts';

export type NamedCondition = Exclude<Condition, { readonly name: 'where' }>;
type NamedConditionName = Exclude<ConditionName, 'where'>;

/** Every condition that has a name. To add one: write its file, add its line. */
export const conditionKinds: { readonly [N in NamedConditionName]: ConditionKind<N> } = {
  'slsa.builder': slsaBuilder,
  'slsa.source': slsaSource,
  'sbom.present': sbomPresent,
  'sbom.noLicense': sbomNoLicense,
  'vuln.maxSeverity': vulnMaxSeverity,
  'vex.status': vexStatus,
  'vsa.level': vsaLevel,
};

export const conditionNames = Object.keys(conditionKinds) as readonly NamedConditionName[];

export function judgeCondition(condition: NamedCondition, judged: Judged): Judgement {
  // One member of the union at a time: TypeScript can't see that the name picks the same one twice.
  const kind = conditionKinds[condition.name] as ConditionKind<NamedConditionName>;
  return kind.judge(condition, judged);
}
