import { isObject, type Json, type JsonObject } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';

const maxShown = 3;

/** What stands at the paths that a condition reads, for a person who asks why it is not met. */
export function describeSeen(paths: readonly (readonly string[])[], root: JsonObject): string {
  const byText = new Map(paths.map((path) => [path.join('.'), path]));
  const deepest = [...byText].filter(
    ([text]) => ![...byText.keys()].some((other) => other.startsWith(`${text}.`)),
  );
  const shown = deepest.slice(0, maxShown).map(([text, path]) => `${text} is ${show(path, root)}`);
  const more = deepest.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function show(path: readonly string[], root: JsonObject): string {
  let value: Json | undefined = root;
  for (const name of path) value = isObject(value) ? value[name] : undefined;
  return describeJson(value);
}

/** One value in a few words, bounded; untrusted text is quoted. */
export function describeJson(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return isObject(value) ? 'an object' : `a list of ${value.length}`;
}
