import type { TagRules } from './tag-rules.ts';

/** What is probably not meant in `tags:`. */
export function doubtsOfTagRules(rules: TagRules, at: Date): readonly string[] {
  const { rollback, allowedRollbacks, maxSignatureAgeMs } = rules;
  const ended = allowedRollbacks
    .filter(({ until }) => until <= at)
    .map(
      ({ digest, owner, until }) =>
        `the allowed rollback to ${digest} (${owner}) ended ${until.toISOString()}: it is as if absent`,
    );
  const asksNothing = rollback === 'allow' && maxSignatureAgeMs === undefined;
  return [
    ...ended,
    ...(asksNothing ? ['tags: rollback: allow asks for nothing, as without it'] : []),
  ];
}
