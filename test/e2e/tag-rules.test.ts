import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  acme,
  type AppKit,
  reasonOf,
  type Reply,
  signatureOf,
  startAt,
  writeConfiguration,
} from '../support/app-kit.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { metricOf } from '../support/content-kit.ts';
import { type FakeClock, makeFakeClock } from '../support/fake-clock.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const older = buildImage({ name: 'older' });
const newer = buildImage({ name: 'newer' });
const path = 'reg/app/manifests/v1';

interface TagKit extends AppKit {
  readonly registry: ScriptedRegistry;
  readonly clock: FakeClock;
  move(to: Artifact): void;
}

/** Both are signed with the time of a signing authority, and were served under the tag. */
async function openTagKit(t: Test, tags: object): Promise<TagKit> {
  const registry = await openScriptedRegistry(t);
  const signedAt = (of: Artifact, signingTime: string): void =>
    registry.put(
      'app',
      signatureOf(of.descriptor, { scheme: 'notary.x509.signingAuthority', signingTime }),
    );
  registry.put('app', older, 'v1');
  registry.put('app', newer);
  signedAt(older, '2030-01-02T00:00:00Z');
  signedAt(newer, '2030-01-03T00:00:00Z');
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.origin },
    identity: { trustStores: ['signingAuthority:acme'] },
    rules: [{ repositories: ['reg/**'], require: { signedBy: 'acme' }, tags }],
  });
  const store = join(file, '..', 'trust', 'x509', 'signingAuthority', 'acme');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, 'acme.pem'), acme.root.pem);
  const clock = makeFakeClock('2030-01-04T00:00:00Z');
  const kit = await startAt(t, file, clock);
  const move = (to: Artifact): void => {
    registry.put('app', to, 'v1');
    clock.advanceMs(60_000);
  };
  t.equal((await kit.ask(path)).status, 200);
  move(newer);
  t.equal((await kit.ask(path)).headers.get('docker-content-digest'), newer.descriptor.digest);
  return { ...kit, registry, clock, move };
}

/** Every way to ask for the tag; twice, so that memory has its say. */
async function askAll(kit: AppKit, to: Artifact): Promise<readonly Reply[]> {
  const forms = [
    {},
    { method: 'HEAD' },
    { headers: { range: 'bytes=0-9' } },
    { headers: { 'if-none-match': `"${to.descriptor.digest}"` } },
  ];
  const replies: Reply[] = [];
  for (const form of [...forms, ...forms]) replies.push(await kit.ask(path, form));
  return replies;
}

t.test('a rollback is denied in every form of a request, and told with its remedy', async (t) => {
  const kit = await openTagKit(t, { rollback: 'deny' });
  kit.move(older);
  for (const reply of await askAll(kit, older)) {
    t.equal(reply.status, 403);
    t.equal(reasonOf(reply), 'rolled-back');
    t.notOk(reply.headers.get('docker-content-digest'));
  }
  const { errors } = JSON.parse((await kit.ask(path)).body.toString()) as {
    errors: { message: string; detail: string }[];
  };
  t.match(errors[0]?.message, new RegExp(`rolled-back .*${newer.descriptor.digest}`));
  t.match(errors[0]?.detail, /list this one under tags\.allowedRollbacks/);
  const byDigest = await kit.ask(`reg/app/manifests/${older.descriptor.digest}`);
  t.equal(byDigest.status, 200, 'a pull by digest is not bound');
  for (const { descriptor } of older.blobs) {
    t.equal((await kit.ask(`reg/app/blobs/${descriptor.digest}`)).status, 200);
  }
  t.ok(metricOf(await kit.metrics(), 'assay_tag_rollbacks_total') >= 9);
  const again = await kit.restarted();
  t.equal(reasonOf(await again.ask(path)), 'rolled-back', 'after a restart too');
});

t.test('a rollback that somebody answers for is served in every form, and said', async (t) => {
  const { digest } = older.descriptor;
  const until = '2030-02-01T00:00:00Z';
  const entry = { digest, reason: 'INC-7', owner: 'sre@acme.example', until };
  const kit = await openTagKit(t, { rollback: 'deny', allowedRollbacks: [entry] });
  kit.move(older);
  for (const reply of await askAll(kit, older)) {
    t.ok(reply.status === 200 || reply.status === 304, String(reply.status));
    t.equal(reply.headers.get('docker-content-digest'), digest);
    t.match(reply.headers.get('warning'), /^299 - "rollback allowed until 2030-02-01.*INC-7/);
  }
  const line = kit.lines.find(({ outcome }) => outcome === 'allowed');
  t.match(line, { owner: 'sre@acme.example', reason: 'INC-7', tag: 'v1', digest });
});

t.test('signatures grow too old for a tag at their moment, and not for a digest', async (t) => {
  const kit = await openTagKit(t, { maxSignatureAge: '5d' });
  const now = kit.clock.now().getTime();
  kit.clock.advanceMs(Date.parse('2030-01-07T23:59:00Z') - now);
  t.equal((await kit.ask(path)).status, 200);
  kit.registry.setFault(() => ({ status: 503 }));
  kit.clock.advanceMs(60_000);
  for (const reply of await askAll(kit, newer)) {
    t.equal(reply.status, 403);
    t.equal(reasonOf(reply), 'signature-too-old');
  }
  const byDigest = await kit.ask(`reg/app/manifests/${newer.descriptor.digest}`);
  t.equal(byDigest.status, 200, 'a pull by digest is not bound');
});
