import { ConfigSchema } from './schema.ts';
import type { ReadableSchema } from './schema-reader.ts';

interface DescribedSchema extends ReadableSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, DescribedSchema>>;
  readonly patternProperties?: Readonly<Record<string, DescribedSchema>>;
  readonly items?: DescribedSchema;
  readonly anyOf?: readonly DescribedSchema[];
}

/** docs/configuration.md, made from the schema. */
export function renderConfigurationReference(): string {
  const sections = Object.entries((ConfigSchema as DescribedSchema).properties ?? {}).flatMap(
    ([key, schema]) => [`## ${key}`, '', ...sectionOf(key, schema), ''],
  );
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Configuration

Generated from \`src/config/schema.ts\` by \`npm run docs\`; a test fails when it is out of date.

One YAML file, named by \`--config\`.

- Unknown keys and keys that stand twice are errors. All errors are reported at once, each with its line and column.
- \`\${NAME}\` in a value is the environment variable NAME; it must be set. Write it in quotes between braces. \`$$\` is a dollar. Keys are not expanded, and neither are trust policies.
- A secret is text, \`"\${NAME}"\` for example, or \`{ file: PATH }\`, which is read without its last line break. Secrets are never printed.
- Paths are relative to the file.
- Durations are written \`500ms\`, \`60s\`, \`15m\`, \`24h\`, \`90d\`; sizes \`512 B\`, \`64 KiB\`, \`10 MiB\`, \`50 GiB\`, \`1 TiB\`.
`;

function sectionOf(key: string, schema: DescribedSchema): readonly string[] {
  const required = (ConfigSchema as DescribedSchema).required?.includes(key) ?? false;
  const about = schema.leaf === undefined ? '' : ` ${sentence(schema)}`;
  const facts = `${absence(schema, required)}${about}`.trim();
  const items = rowsBelow(schema, key);
  return [
    [schema.description ?? '', facts].filter((text) => text !== '').join(' '),
    ...(items.length > 0 ? ['', ...items] : []),
  ];
}

/** One item a key below this one, however deep. */
function rowsBelow(schema: DescribedSchema, path: string): readonly string[] {
  const { properties, required = [], patternProperties, anyOf } = schema;
  if (schema.leaf !== undefined) return [];
  // What variants have in common is said once.
  if (anyOf !== undefined) {
    return [...new Set(anyOf.flatMap((variant) => rowsBelow(variant, path)))];
  }
  const [values] = Object.values(patternProperties ?? {});
  if (values !== undefined) {
    const named = `${path}.NAME`;
    return values.leaf === undefined ? rowsBelow(values, named) : [row(named, values, false)];
  }
  return Object.entries(properties ?? {}).flatMap(([key, property]) => {
    const within = `${path}.${key}`;
    return [row(within, property, required.includes(key)), ...rowsBelow(property, within)];
  });
}

function row(path: string, schema: DescribedSchema, isRequired: boolean): string {
  const facts = [schema.description ?? '', sentence(schema), absence(schema, isRequired)];
  return `- \`${path}\`: ${facts.filter((text) => text !== '').join(' ')}`;
}

function sentence(schema: DescribedSchema): string {
  const expects = schema.expects ?? schema.items?.expects;
  if (expects === undefined || schema.leaf === 'path') return '';
  return schema.items === undefined ? `Must be ${expects}.` : `A list, each item ${expects}.`;
}

function absence(schema: DescribedSchema, isRequired: boolean): string {
  const { default: standard } = schema;
  if (standard === undefined) return isRequired ? 'Required.' : '';
  const text = typeof standard === 'string' ? standard : JSON.stringify(standard);
  return typeof standard === 'object' ? '' : `Default: \`${text}\`.`;
}
