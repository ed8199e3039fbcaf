import type { JsonObject } from '../kernel/json.ts';
import { oncePer } from '../kernel/once.ts';
import { quoted } from '../kernel/quoted.ts';
import { MalformedError } from './malformed-error.ts';

/**
 * Refuses member names that differ from a known one only in case. Go's JSON decoder takes
 * `Layers` for `layers`, the last one winning, and folds `ſ` and the Kelvin sign too: a client
 * would read another document than the one that was verified.
 */
export function refuseCaseVariants(
  document: JsonObject,
  knownNames: readonly string[],
  where: string,
): void {
  const folded = foldedNames(knownNames);
  for (const name of Object.keys(document)) {
    const known = folded.get(fold(name));
    if (known !== undefined && known !== name) {
      throw new MalformedError(
        'MANIFEST_MALFORMED',
        `${where} has ${quoted(name)}, which is ${known} in another case`,
      );
    }
  }
}

// A hostile manifest has hundreds of thousands of names: one look-up for each is all they cost.
const foldedNames = oncePer(
  (names: readonly string[]) => new Map(names.map((name) => [fold(name), name])),
);

function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}
