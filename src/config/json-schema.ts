import { type Json, isObject } from '../kernel/json.ts';
import { ConfigSchema } from './schema.ts';

/** Notes of ours, which no JSON Schema tool knows. */
const ownKeywords = ['leaf', 'expects', 'later'];

/** The content of docs/assay.schema.json: what a person may write, for editors. */
export function renderJsonSchema(): string {
  const body = publish(JSON.parse(JSON.stringify(ConfigSchema)) as Json);
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Assay' };
  return `${JSON.stringify({ ...head, ...(body as object) }, null, 2)}\n`;
}

/** A key with a default is there once loaded, and need not be in the file. */
function publish(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(publish);
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema)
    .filter(([key]) => !ownKeywords.includes(key))
    .map(([key, value]) => [key, key === 'default' ? value : publish(value)] as const);
  const published = Object.fromEntries(entries);
  const { required, properties } = published;
  if (!Array.isArray(required) || !isObject(properties)) return published;
  const withoutDefault = (required as readonly string[]).filter((key) => {
    const property = properties[key];
    return !isObject(property) || property['default'] === undefined;
  });
  return { ...published, required: withoutDefault };
}
