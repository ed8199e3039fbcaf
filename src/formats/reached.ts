/** What an earlier check found: later ones run only where the enforced ones before them passed. */
export function reached<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a check ran before the one that it rests on');
  return value;
}
