/** A Dockerfile in the plain style of ours: no shell variables, no here-documents. */
export interface Stage {
  /** The name after AS; the last stage may have none. */
  readonly name: string | undefined;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface Instruction {
  /** Upper case, such as `RUN`. */
  readonly keyword: string;
  /** What stands after the keyword, continued lines joined. */
  readonly text: string;
}

/** Reads the stages in order; throws when the text begins with anything but FROM. */
export function readDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string | undefined; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const stage = stages.at(-1);
    if (keyword === 'FROM') {
      const [base = '', , name] = rest.split(/\s+/);
      stages.push({ base, name, instructions: [] });
    } else if (stage === undefined || keyword === '') {
      throw new Error(`not an instruction of a stage: ${line}`);
    } else {
      stage.instructions.push({ keyword, text: rest });
    }
  }
  return stages;
}

/** The one instruction of that kind in a stage. */
export function onlyOne(stage: Stage, keyword: string): string {
  const found = stage.instructions.filter((instruction) => instruction.keyword === keyword);
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length} instructions ${keyword} in ${stage.name ?? 'the last stage'}`);
  }
  return only.text;
}

/** The words of an instruction in exec form: a JSON array, whatever options stand before it. */
export function execForm(text: string): readonly string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}
