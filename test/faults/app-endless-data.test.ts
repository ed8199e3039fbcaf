import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type AppKit, reasonOf, signatureOf, startAppKit } from '../support/app-kit.ts';
import { type Artifact, buildImage, notationSignatureType } from '../support/build-image.ts';
import { endlessPages, jsonAnswer } from '../support/scripted-answers.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { Script, SeenRequest, Step } from '../support/scripted-upstream.ts';

/**
 * An upstream that sends without end: each answer is bounded in requests and bytes, and what lies
 * past a bound is "could not find out" or a denial, never "unsigned" and never served.
 */

const mebibyte = 1024 * 1024;

interface Kit extends AppKit {
  readonly registry: ScriptedRegistry;
  readonly image: Artifact;
  readonly referrers: string;
}

async function open(t: Test, state: 'signed' | 'unsigned'): Promise<Kit> {
  const registry = await openScriptedRegistry(t);
  const image = buildImage({ name: state });
  registry.put('app', image, 'v1');
  if (state === 'signed') registry.put('app', signatureOf(image.descriptor));
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin } });
  const referrers = `GET /v2/app/referrers/${image.descriptor.digest}`;
  return { ...kit, registry, image, referrers };
}

function stray(at: number): object {
  const digest = `sha256:${String(at).padStart(64, '0')}`;
  return {
    mediaType: mediaTypes.ociManifest,
    digest,
    size: 500,
    artifactType: notationSignatureType,
  };
}

function strays(count: number): readonly object[] {
  return Array.from({ length: count }, (_, at) => stray(at));
}

function listOf(manifests: readonly object[]): object {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

const type = { 'content-type': mediaTypes.ociIndex };

/** A list of so many pages, each with its one referrer, and a little more. */
const maxRequestsOfPages = 100;
/** As many referrers as are looked at for one subject, and a little more. */
const maxRequestsOfReferrers = 1220;

const lists: Readonly<Record<string, Script>> = {
  'pages without end': endlessPages((page) => listOf([stray(page)]), mediaTypes.ociIndex),
  'empty pages without end': endlessPages(() => listOf([]), mediaTypes.ociIndex),
  'a page that leads to itself': ({ target }: SeenRequest): Step =>
    jsonAnswer(listOf([]), { ...type, link: `<${target}>; rel="next"` }),
  '10^4 entries': jsonAnswer(listOf(strays(10_000)), type),
  'a body without end': { headers: type, endless: Buffer.alloc(65_536, ' ') },
  'a depth of 10^5': { headers: type, body: `${'['.repeat(1e5)}${']'.repeat(1e5)}` },
  'headers of 1 MiB': { headers: { ...type, 'x-long': 'x'.repeat(mebibyte) }, body: '{}' },
};

for (const [what, script] of Object.entries(lists)) {
  for (const state of ['signed', 'unsigned'] as const) {
    t.test(
      `CVE-2023-42813 to 42816 (kyverno): referrers of ${what} of what is ${state} are not found out`,
      async (t) => {
        const { ask, registry, referrers } = await open(t, state);
        registry.on(referrers, script);
        const reply = await ask('reg/app/manifests/v1');
        t.equal(reply.status, 503);
        t.equal(reasonOf(reply), 'upstream-unavailable');
        const most = what.startsWith('10^4') ? maxRequestsOfReferrers : maxRequestsOfPages;
        t.ok(registry.requests.length <= most, `${registry.requests.length} requests`);
        const listing = await ask(
          `reg/app/referrers/${buildImage({ name: state }).descriptor.digest}`,
        );
        t.match(String(listing.status), /^50[23]$/);
      },
    );
  }
}

t.test('past 1,200 referrers nobody looks, and that is not "unsigned"', async (t) => {
  const { ask, registry, referrers } = await open(t, 'unsigned');
  registry.on(referrers, jsonAnswer(listOf(strays(1500)), type));
  const reply = await ask('reg/app/manifests/v1');
  t.equal(reply.status, 503);
  t.equal(reasonOf(reply), 'limit-exceeded');
  const looked = registry.requests.filter(({ path }) => /manifests\/sha256:/.test(path));
  t.equal(looked.length, 1 + 1200);
});

const envelopes: Readonly<Record<string, { size: number; step?: Step; status: number }>> = {
  'a stated size of 200 MiB': { size: 200 * mebibyte, status: 403 },
  'a small size and a body without end': {
    size: 2000,
    step: { endless: Buffer.alloc(65_536) },
    status: 503,
  },
  'a small size and a stated length of 200 MiB': {
    size: 2000,
    step: { length: 200 * mebibyte, body: 'x', hang: 'after-headers' },
    status: 503,
  },
};

for (const [what, { size, step, status }] of Object.entries(envelopes)) {
  t.test(`an envelope of ${what} is given up`, async (t) => {
    const { ask, registry, image } = await open(t, 'unsigned');
    const signature = signatureOf(image.descriptor);
    const [, envelope] = signature.blobs;
    const manifest = JSON.parse(String(Buffer.from(signature.bytes))) as { layers: object[] };
    const layers = [{ ...envelope?.descriptor, size }];
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers }));
    const digest = digestOf(bytes);
    registry.put('app', {
      ...signature,
      bytes,
      descriptor: { ...signature.descriptor, digest, size: bytes.length },
    });
    if (step !== undefined) registry.on(`GET /v2/app/blobs/${envelope?.descriptor.digest}`, step);
    const reply = await ask('reg/app/manifests/v1');
    t.equal(reply.status, status);
    t.not(reasonOf(reply), 'unsigned');
    const asked = registry.seen(`/v2/app/blobs/${envelope?.descriptor.digest}`);
    t.equal(asked.length, step === undefined ? 0 : 1);
  });
}

const manifests: Readonly<Record<string, Step>> = {
  'of 5 MiB': { body: `{"a":"${'x'.repeat(5 * mebibyte)}"}` },
  'without an end': { endless: Buffer.alloc(65_536, ' ') },
  'with headers of 1 MiB': { headers: { 'x-long': 'x'.repeat(mebibyte) } },
  'with 10^5 headers': {
    raw: `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(1e5)}content-length: 0\r\n\r\n`,
  },
};

for (const [what, step] of Object.entries(manifests)) {
  t.test(`a manifest ${what} is given up`, async (t) => {
    const { ask, registry, image } = await open(t, 'signed');
    const path = `/v2/app/manifests/${image.descriptor.digest}`;
    registry.on(`GET ${path}`, { ...step, headers: { ...step.headers, ...type } });
    const reply = await ask('reg/app/manifests/v1');
    t.match(String(reply.status), /^50[23]$/);
    t.ok(registry.seen(path).length <= 3);
    t.ok(registry.requests.length <= 5, `${registry.requests.length} requests`);
  });
}

t.test('lists of tags without end are an error', async (t) => {
  const { ask, registry } = await open(t, 'signed');
  const path = '/v2/app/tags/list';
  registry.on(
    `GET ${path}`,
    endlessPages(() => ({ name: 'app', tags: [] }), 'application/json'),
  );
  t.match(String((await ask('reg/app/tags/list')).status), /^50[23]$/);
  t.ok(registry.requests.length <= 12, `${registry.requests.length} requests`);
});
