import t from 'tap';
import { Compile } from 'typebox/schema';
import { parse } from 'yaml';
import { ConfigError } from '../../../src/config/config-error.ts';
import { renderJsonSchema } from '../../../src/config/json-schema.ts';
import { readConfig } from '../../../src/config/load.ts';

const bucket = 'endpoint: https://s3.example, region: us-east-1, bucket: content';
const key = '{ accessKeyId: id, secretAccessKey: secret }';
const schema = JSON.parse(renderJsonSchema()) as Record<string, unknown>;

t.test('the published schema has a description for every key and no notes of ours', async (t) => {
  const undescribed: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const note of ['leaf', 'expects', 'later']) {
      if (note in node && !path.endsWith('.properties')) undescribed.push(`${path} has ${note}`);
    }
    for (const [key, value] of Object.entries(node)) {
      // The file of a secret is told of in the secret's own description.
      const isKey = path.endsWith('.properties') && key !== 'file';
      if (isKey && !('description' in (value as object))) undescribed.push(`${path}.${key}`);
      visit(value, `${path}.${key}`);
    }
  };
  visit(schema, '$');
  t.same(undescribed, []);
  t.match(schema, { $schema: /2020-12/, required: ['trustPolicy'] });
});

const base = 'upstreams: { a: { layout: x } }\ntrustPolicy: x\n';
const pull = 'access: { anonymous: pull }\n';
const push = 'access: { anonymous: push }\n';

const withRedis = (line: string): string =>
  `${base}${pull}state: { keys: ["${'k'.repeat(32)}"] }\n${line}\n`;

/** The schema is what editors go by: they must not refuse what loads, nor take a plain slip. */
const cases = [
  { text: base + pull, loads: true },
  { text: `${base}${pull}lifetimes: { tag: 5s }\n`, loads: true },
  { text: `${base}${pull}storage: { maxBytes: 5 GiB }\n`, loads: true },
  { text: `${base}${pull}listen: { port: 1 }\n`, loads: true },
  { text: `${base}${pull}state: { keys: ["${'k'.repeat(32)}"] }\n`, loads: true },
  { text: base, loads: true },
  { text: base + push, loads: false },
  { text: pull, loads: false },
  { text: `${base}${pull}lifetimes: { tag: 5 }\n`, loads: false },
  { text: `${base}${pull}workers: auto\n`, loads: true },
  { text: `${base}${pull}workers: 256\n`, loads: true },
  { text: `${base}${pull}workers: 257\n`, loads: false },
  { text: `${base}${pull}workers: automatic\n`, loads: false },
  { text: `${base}${pull}listen: { port: x }\n`, loads: false },
  { text: `${base}${pull}redis: {}\n`, loads: false },
  { text: `${base}${pull}storage: { s3: { ${bucket}, credentials: search } }\n`, loads: true },
  { text: `${base}${pull}storage: { s3: { ${bucket}, credentials: ${key} } }\n`, loads: true },
  { text: `${base}${pull}storage: { s3: { ${bucket} } }\n`, loads: false },
  { text: `${base}${pull}storage: { s3: { ${bucket}, credentials: nobody } }\n`, loads: false },
  {
    text: `${base}${pull}listen: { trustedProxies: [10.0.0.1/32] }\nstorage: { accelLocation: /stored/ }\n`,
    loads: true,
  },
  { text: `${base}${pull}storage: { accelLocation: /stored }\n`, loads: false },
  { text: withRedis('redis: { url: "rediss://r:6379/1" }'), loads: true },
  {
    text: withRedis('redis: { sentinel: { name: m, addresses: [a, "b:1"] }, tls: {} }'),
    loads: true,
  },
  {
    text: withRedis('redis: { cluster: { addresses: ["[::1]:7000"] }, password: x }'),
    loads: true,
  },
  { text: withRedis('redis: { cluster: { addresses: [] } }'), loads: false },
  { text: withRedis('redis: { url: "rediss://u:p@r" }'), loads: false },
  { text: `upstreams: { a: {} }\ntrustPolicy: x\n${pull}`, loads: false },
  { text: `upstreams: {}\ntrustPolicy: x\n${pull}`, loads: false },
];

for (const { text, loads } of cases) {
  t.test(
    `schema and loader agree: ${text.split('\n').at(-2)} ${loads ? 'loads' : 'does not'}`,
    async (t) => {
      t.equal(Compile(schema).Check(parse(text)), loads, 'schema');
      const loading = readConfig(text, 'x', { folder: '/', environment: {} });
      if (loads) await t.resolves(loading);
      else await t.rejects(loading, ConfigError);
    },
  );
}
