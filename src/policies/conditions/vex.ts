import { isNonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import { describeJson } from '../seen-values.ts';
import { objectsAt, textAt, valueAt } from '../statement.ts';
import { type VexStatus, vexStatuses } from './condition.ts';
import { type ConditionKind, met, notMet } from './condition-kind.ts';
import { predicateTypes } from './predicate-types.ts';
import { readTexts } from './text-rule.ts';

/** Every statement of an OpenVEX document has one of the statuses (OpenVEX, Status Labels). */
export const vexStatus: ConditionKind<'vex.status'> = {
  predicateTypes: predicateTypes.openVex,
  read(place, report) {
    const statuses = readTexts(place, report);
    const strange = statuses?.find((text) => !isStatus(text));
    if (strange !== undefined) {
      return report(place, `${quoted(strange)} is no status; there are ${vexStatuses.join(', ')}`);
    }
    const known = statuses?.filter(isStatus) ?? [];
    return isNonEmpty(known) ? { name: 'vex.status', statuses: known } : undefined;
  },
  judge({ statuses }, { statement: { predicate } }) {
    const statements = objectsAt(predicate, 'statements') ?? [];
    if (!isNonEmpty(statements)) return notMet('the document has no list of statements');
    const wanted: readonly string[] = statuses;
    const other = statements.find((one) => !wanted.includes(textAt(one, 'status') ?? ''));
    if (other === undefined) return met(`${statements.length} statements, all as wanted`);
    const id = textAt(other, 'vulnerability', 'name') ?? textAt(other, 'vulnerability') ?? '';
    return notMet(`${quoted(id)} has status ${describeJson(valueAt(other, 'status'))}`);
  },
};

function isStatus(text: string): text is VexStatus {
  return (vexStatuses as readonly string[]).includes(text);
}
