import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadTrustMaterial } from '../../src/trust/load.ts';
import {
  type FakeRegistry,
  type ReferrersMode,
  startFakeRegistry,
} from '../support/fake-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { algorithmCases } from './notation/algorithm-cases.ts';
import { type Case, image } from './notation/case.ts';
import { certificateCases } from './notation/certificate-cases.ts';
import { coseCases } from './notation/cose-cases.ts';
import { differenceIds } from './notation/difference.ts';
import { envelopeCases } from './notation/envelope-cases.ts';
import { identityCases } from './notation/identity-cases.ts';
import { jwsCases } from './notation/jws-cases.ts';
import { levelCases } from './notation/level-cases.ts';
import { manifestCases } from './notation/manifest-cases.ts';
import { payloadCases } from './notation/payload-cases.ts';
import { policyCases } from './notation/policy-cases.ts';
import { makeRevocationCases } from './notation/revocation-cases.ts';
import { type AssaySide, openAssaySide } from './notation/run-assay.ts';
import { runNotation, writeConfiguration } from './notation/run-notation.ts';
import { timestampCases } from './notation/timestamp-cases.ts';
import { validityCases } from './notation/validity-cases.ts';

// A table that shrank by mistake must not pass: agreement over few cases says little.
const leastCases = 500;
const concurrency = 2;

interface Place {
  readonly registry: FakeRegistry;
  readonly assay: AssaySide;
}

t.test(
  'Assay and the real notation judge alike, but for the differences that are written down',
  async (t) => {
    const notation = requireTool(t, 'notation');
    if (notation === undefined) return;
    const cases = [
      ...algorithmCases,
      ...envelopeCases,
      ...payloadCases,
      ...jwsCases,
      ...coseCases,
      ...certificateCases,
      ...validityCases,
      ...(await serveRevocation(t)),
      ...identityCases,
      ...policyCases,
      ...levelCases,
      ...manifestCases,
      ...timestampCases,
    ];
    t.ok(cases.length >= leastCases, `${cases.length} cases, of at least ${leastCases}`);
    t.equal(new Set(cases.map(({ title }) => title)).size, cases.length, 'each has its own title');
    t.strictSame(
      new Set(cases.flatMap(({ difference }) => difference ?? [])),
      new Set(differenceIds),
      'each difference has a case',
    );
    const places = await openPlaces(t);
    const folder = t.testdir();
    const queue = cases.entries();
    const work = async (): Promise<void> => {
      for (const [index, one] of queue) {
        const place = places.get(one.referrers ?? 'api');
        if (place === undefined) throw new TypeError(`no registry for ${one.referrers}`);
        await judge(t, one, {
          ...place,
          notation,
          folder: join(folder, `${index}`),
          path: `acme/case-${index}`,
        });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  },
);

interface Court extends Place {
  readonly notation: string;
  readonly folder: string;
  readonly path: string;
}

async function judge(t: Test, one: Case, court: Court): Promise<void> {
  const { registry, assay, notation, folder, path } = court;
  for (const artifact of [image, ...one.signatures]) registry.put(path, artifact);
  for (const digest of one.missing ?? []) registry.remove(path, digest);
  mkdirSync(folder);
  writeConfiguration(folder, one, `${registry.host}/${path}`);
  const reference = `${registry.host}/${path}@${image.descriptor.digest}`;
  const theirs = await runNotation(notation, folder, reference);
  const ours = await assay.verify(folder, path, image);
  const both = { title: one.title, notation: theirs.said, assay: ours.said };
  const theyShould = one.notation === 'accepts';
  const asListed =
    theirs.accepted === theyShould &&
    (one.notation === 'accepts' || one.notation.test(theirs.said));
  t.ok(asListed, `notation on ${one.title}`, { ...both, expected: String(one.notation) });
  if (one.difference === undefined) {
    t.equal(ours.accepted, theirs.accepted, `Assay on ${one.title}`, both);
  } else {
    t.not(ours.accepted, theirs.accepted, `Assay on ${one.title}: ${one.difference}`, both);
  }
}

async function openPlaces(t: Test): Promise<ReadonlyMap<ReferrersMode, Place>> {
  const modes = [
    'api',
    'tag-schema',
    'empty-api',
    'ghcr',
  ] as const satisfies readonly ReferrersMode[];
  const places = new Map<ReferrersMode, Place>();
  for (const referrers of modes) {
    const registry = await startFakeRegistry({ referrers });
    const assay = openAssaySide(registry, loadTrustMaterial);
    t.teardown(async () => {
      await assay.close();
      await registry.close();
    });
    places.set(referrers, { registry, assay });
  }
  return places;
}

/** Serves what responders and lists say; returns the cases that it is about. */
async function serveRevocation(t: Test): Promise<readonly Case[]> {
  let served: ReadonlyMap<string, Uint8Array> = new Map();
  const server = createServer(({ url = '' }, response) => {
    // An OCSP responder's path is followed by the question.
    const [, place, name] = url.split('/');
    const answer = served.get(`/${place}/${name}`);
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made = makeRevocationCases(url);
  served = made.served;
  return made.cases;
}

t.test('docs/differences.md explains every difference that the cases mark, under its id', (t) => {
  const text = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');
  const [compared = ''] = text.split('\n## Not compared');
  const explained = [...compared.matchAll(/^### `([a-z0-9-]+)`/gm)].map((match) => match[1]);
  t.strictSame(explained.toSorted(), [...differenceIds].toSorted());
  t.end();
});
