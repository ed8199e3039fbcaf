/** Variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Expanded =
  { readonly text: string; readonly isExpanded: boolean } | { readonly problem: string };

const variable = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\}|(.?))/gs;

/** `${NAME}` becomes the variable's value, `$$` a dollar. Nothing else may follow a dollar. */
export function expandEnvironment(text: string, environment: Environment): Expanded {
  const unset = new Set<string>();
  let isLone = false;
  let isExpanded = false;
  const result = text.replace(variable, (all, name?: string) => {
    if (all === '$$') return '$';
    if (name === undefined) {
      isLone = true;
      return all;
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) unset.add(name);
    isExpanded = true;
    return value ?? '';
  });
  if (isLone)
    return { problem: 'has a lone dollar: write ${NAME} for a variable, $$ for a dollar' };
  if (unset.size > 0) {
    const names = [...unset].join(', ');
    return { problem: `needs the environment variable ${names}, which is not set` };
  }
  return { text: result, isExpanded };
}
