import t from 'tap';
import { judgeOne, types } from '../../../support/attestation-kit.ts';

const spdx = (packages: unknown, overrides: object = {}) => ({
  spdxVersion: 'SPDX-2.3',
  packages,
  ...overrides,
});
const cyclonedx = (components: unknown, overrides: object = {}) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  components,
  ...overrides,
});
const mit = { name: 'a', licenseConcluded: 'NOASSERTION', licenseDeclared: 'MIT' };
const present = { name: 'sbom.present', format: 'any' } as const;

t.test('an SBOM that lists something is one', async (t) => {
  const one = await judgeOne(present, types.spdx, spdx([mit]));
  t.match(one.condition, { outcome: 'met', because: 'the SBOM lists 1 components' });
  t.equal(one.found.meets.length, 1);
  const other = await judgeOne(
    present,
    types.cyclonedx,
    cyclonedx([{ name: 'a', components: [{ name: 'b' }] }]),
  );
  t.match(other.condition, { outcome: 'met', because: 'the SBOM lists 2 components' });
});

const none = [
  [types.spdx, spdx([]), /lists nothing/],
  [types.spdx, spdx('many'), /no list of packages/],
  [types.spdx, spdx([mit, 'b']), /no list of packages/],
  [types.spdx, spdx([mit], { spdxVersion: 'SPDX-1.0' }), /no SPDX document/],
  [types.spdx, 'SPDXVersion: SPDX-2.3', /is text: only its JSON/],
  [types.spdx, null, /no SPDX document/],
  [types.spdx, cyclonedx([{ name: 'a' }]), /no SPDX document/],
  [types.cyclonedx, cyclonedx([]), /lists nothing/],
  [types.cyclonedx, cyclonedx(undefined), /no components/],
  [types.cyclonedx, cyclonedx([{}], { specVersion: '1.3' }), /no CycloneDX document/],
  [types.cyclonedx, cyclonedx([{}], { bomFormat: 'other' }), /no CycloneDX document/],
] as const;

for (const [type, predicate, because] of none) {
  t.test(`${JSON.stringify(predicate)} as ${type} is no SBOM`, async (t) => {
    const { found, condition } = await judgeOne(present, type, predicate);
    t.same(found.meets, []);
    t.match(condition, { outcome: 'not-met', because });
  });
}

t.test('the format may be demanded', async (t) => {
  const format = { name: 'sbom.present', format: 'cyclonedx' } as const;
  const { condition } = await judgeOne(format, types.spdx, spdx([mit]));
  t.match(condition, { outcome: 'not-met', because: 'it is spdx, not cyclonedx' });
});

const refused = {
  name: 'sbom.noLicense',
  licenses: ['AGPL-3.0-only', 'GPL-*', 'NOASSERTION'],
} as const;

const clean = [
  [types.spdx, spdx([mit])],
  [types.spdx, spdx([{ name: 'a', licenseConcluded: 'LGPL-2.1-only' }])],
  [types.spdx, spdx([{ name: 'a', licenseConcluded: 'NONE' }])],
  [types.cyclonedx, cyclonedx([{ name: 'a', licenses: [{ license: { id: 'MIT' } }] }])],
] as const;

for (const [type, predicate] of clean) {
  t.test(`${JSON.stringify(predicate)} has none of the licenses`, async (t) => {
    t.match((await judgeOne(refused, type, predicate)).condition, { outcome: 'met' });
  });
}

const licensed = (expression: string) => spdx([mit, { name: 'b', licenseDeclared: expression }]);
const dirty = [
  [types.spdx, licensed('AGPL-3.0-only'), /"b" has license "AGPL-3.0-only"/],
  [types.spdx, licensed('agpl-3.0-ONLY'), /agpl-3.0-ONLY/],
  [types.spdx, licensed('MIT OR GPL-2.0-only'), /GPL-2.0-only/],
  [types.spdx, licensed('(MIT AND (BSD-3-Clause OR GPL-2.0+))'), /GPL-2.0\+/],
  [types.spdx, licensed('GPL-2.0-only WITH Classpath-exception-2.0'), /GPL-2.0-only/],
  [types.spdx, spdx([{ ...mit, licenseConcluded: 'GPL-2.0-only' }]), /GPL-2.0-only/],
  [types.spdx, licensed('NOASSERTION'), /NOASSERTION/],
  [types.spdx, spdx([{ name: 'b' }]), /"b" has license "NOASSERTION"/],
  [
    types.cyclonedx,
    cyclonedx([{ name: 'b', licenses: [{ license: { id: 'GPL-3.0' } }] }]),
    /GPL-3.0/,
  ],
  [
    types.cyclonedx,
    cyclonedx([{ name: 'b', licenses: [{ expression: 'MIT OR GPL-3.0' }] }]),
    /GPL-3.0/,
  ],
  [types.cyclonedx, cyclonedx([{ name: 'b', licenses: [] }]), /NOASSERTION/],
  [
    types.cyclonedx,
    cyclonedx([
      { name: 'a', licenses: [{ license: { name: 'MIT' } }], components: [{ name: 'deep' }] },
    ]),
    /"deep" has license/,
  ],
  [
    types.cyclonedx,
    cyclonedx([{ name: 'a', licenses: [{ license: { id: 'MIT' } }] }], {
      metadata: { component: { name: 'whole', licenses: [{ license: { id: 'GPL-3.0' } }] } },
    }),
    /"whole" has license/,
  ],
  [types.spdx, spdx([]), /lists nothing/],
  [types.spdx, 'text', /is text/],
] as const;

for (const [type, predicate, because] of dirty) {
  t.test(`${JSON.stringify(predicate)} has one of the licenses`, async (t) => {
    const { found, condition } = await judgeOne(refused, type, predicate);
    t.same(found.meets, []);
    t.match(condition, { outcome: 'not-met', because });
  });
}
