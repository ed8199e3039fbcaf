/** Of these, those are listed together that agree up to the first `@`. */
const listedByHead = ['part/', 'unread/', 'tag-history/'];
/** There are many of these, and each is asked for by its whole name. */
const neverListed = ['verdict/', 'verdict-id/', 'untrusted/', 'evidence/', 'pin/', 'rate/'];
/**
 * What denies, and who is there: versions with different schemas share these, so that none serves
 * what another one refuses. Their form may be added to, and never changes.
 */
const ofAllVersions = ['deny/', 'tag-history/', 'replica/'];
const namesOfAllVersions = ['deny-epoch', 'look-again', 'policy-mark'];

/** What a version with another schema can leave behind: all the others, by their beginnings. */
export const ofOneVersion: readonly string[] = ['part/', 'unread/', ...neverListed];

/** Whether entries of the name, or beginning so, are shared by versions with different schemas. */
export function isOfAllVersions(name: string): boolean {
  return (
    namesOfAllVersions.includes(name) || ofAllVersions.some((family) => name.startsWith(family))
  );
}

/**
 * What names of the state, or the beginnings of some, are listed with: for a store that lists by
 * indexes of its own. Undefined: they are not listed.
 */
export function listedWith(name: string): string | undefined {
  const starts = (family: string): boolean => name.startsWith(family);
  if (neverListed.some(starts)) return undefined;
  return through(name, listedByHead.some(starts) ? '@' : '/');
}

function through(name: string, separator: string): string | undefined {
  const at = name.indexOf(separator);
  return at === -1 ? undefined : name.slice(0, at + 1);
}
