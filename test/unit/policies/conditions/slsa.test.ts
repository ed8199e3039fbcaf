import t from 'tap';
import { judgeOne, types } from '../../../support/attestation-kit.ts';

const id = 'https://github.com/actions/runner/github-hosted';
const workflow = {
  repository: 'https://github.com/acme/app',
  ref: 'refs/tags/v1',
  path: '.github/workflows/release.yml',
};
const v1 = (externalParameters: unknown = { workflow }, builder: unknown = { id }) => ({
  buildDefinition: {
    buildType: 'https://actions.github.io/buildtypes/workflow/v1',
    externalParameters,
  },
  runDetails: { builder },
});
const v02 = (configSource: unknown, builder: unknown = { id }) => ({
  builder,
  invocation: { configSource },
});

const exact = (text: string) => ({ kind: 'exact', text }) as const;
const pattern = (text: string) => ({ kind: 'pattern', text }) as const;
const builder = { name: 'slsa.builder', ids: [exact('https://other.example'), exact(id)] } as const;
const any = { name: 'slsa.builder', ids: [pattern('https://github\\.com/actions/.*')] } as const;

t.test('a builder of the list is the one that is wanted', async (t) => {
  const { found, condition } = await judgeOne(builder, types.slsa, v1());
  t.equal(found.meets.length, 1);
  t.match(condition, {
    condition: 'slsa.builder',
    outcome: 'met',
    because: `runDetails.builder.id is "${id}"`,
  });
  t.match((await judgeOne(any, types.slsa, v1())).condition, { outcome: 'met' });
  t.match((await judgeOne(builder, types.slsaV02, v02({}))).condition, { outcome: 'met' });
});

const wrongBuilders = [
  ['another', { id: `${id}-evil` }],
  ['another case', { id: id.toUpperCase() }],
  ['a line more', { id: `${id}\n` }],
  ['a list', { id: [id] }],
  ['none', {}],
] as const;

for (const [what, wrong] of wrongBuilders) {
  t.test(`a builder that is ${what} is not`, async (t) => {
    const { found, condition } = await judgeOne(builder, types.slsa, v1({ workflow }, wrong));
    t.same(found.meets, []);
    t.match(condition, { outcome: 'not-met', because: /^runDetails.builder.id is / });
  });
}

t.test('the version of the type says where the builder stands', async (t) => {
  t.match((await judgeOne(builder, types.slsa, v02({}))).condition, { because: /is absent/ });
  t.match((await judgeOne(builder, types.slsaV02, v1())).condition, { because: /is absent/ });
});

const source = {
  name: 'slsa.source',
  repository: exact('https://github.com/acme/app'),
  ref: exact('refs/tags/v1'),
  path: exact('.github/workflows/release.yml'),
} as const;
const repositoryAlone = { ...source, ref: undefined, path: undefined };

const goodSources = [
  ['of GitHub', types.slsa, v1()],
  [
    'of BuildKit',
    types.slsa,
    v1({
      configSource: { uri: 'https://github.com/acme/app.git#refs/tags/v1', path: source.path.text },
    }),
  ],
  [
    'of Google Cloud Build',
    types.slsa,
    v1({ sourceToBuild: { ...workflow, repository: 'git+https://github.com/acme/app' } }),
  ],
  [
    'of slsa-github-generator, v0.2',
    types.slsaV02,
    v02({
      uri: 'git+https://github.com/acme/app@refs/tags/v1',
      entryPoint: source.path.text,
    }),
  ],
] as const;

for (const [what, type, predicate] of goodSources) {
  t.test(`the source in a provenance ${what} is found`, async (t) => {
    const { condition } = await judgeOne(source, type, predicate);
    t.match(condition, {
      outcome: 'met',
      because: /the source is "https:\/\/github.com\/acme\/app" at/,
    });
  });
}

t.test('a source that is text is read', async (t) => {
  const predicate = v1({ source: 'git+https://github.com/acme/app@refs/heads/main' });
  t.match((await judgeOne(repositoryAlone, types.slsa, predicate)).condition, { outcome: 'met' });
});

const badSources = [
  [
    'another repository',
    { workflow: { ...workflow, repository: 'https://github.com/acme/app-evil' } },
  ],
  [
    'another host',
    { workflow: { ...workflow, repository: 'https://github.com.evil.example/acme/app' } },
  ],
  [
    'user information',
    { workflow: { ...workflow, repository: 'https://github.com@evil.example/acme/app' } },
  ],
  ['another ref', { workflow: { ...workflow, ref: 'refs/heads/main' } }],
  ['another path', { workflow: { ...workflow, path: '.github/workflows/evil.yml' } }],
  ['no ref', { workflow: { ...workflow, ref: undefined } }],
  ['two refs', { workflow: { ...workflow, repository: 'https://github.com/acme/app@evil' } }],
  ['a URI beside it', { workflow: { ...workflow, uri: 'https://github.com/acme/app' } }],
  ['a second source', { workflow, configSource: { uri: 'https://github.com/evil/app' } }],
  ['a number', { workflow: 1 }],
  ['nothing', {}],
  ['it in another place', { elsewhere: workflow }],
] as const;

for (const [what, parameters] of badSources) {
  t.test(`a source with ${what} is not the one that is wanted`, async (t) => {
    const { found, condition } = await judgeOne(source, types.slsa, v1(parameters));
    t.same(found.meets, []);
    t.equal(condition?.outcome, 'not-met');
  });
}
