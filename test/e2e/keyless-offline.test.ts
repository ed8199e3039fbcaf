import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { buildImage } from '../support/build-image.ts';
import { findTool, leaveOut } from '../support/require-tool.ts';
import { keylessLayer, keylessSignature, signatureTag } from '../support/sign-keyless.ts';
import { trustedRootJson } from '../support/trusted-root.ts';
import { writeLayout } from '../support/write-layout.ts';

// Without any network, not even one that refuses: keyless images verify from files.
const run = promisify(execFile);
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const signer = { subject: 'dev@acme.test', issuer: 'https://accounts.acme.test' };

/** The words that start a program where there is no network; undefined where nobody may. */
async function withoutNetwork(t: Test): Promise<readonly [string, ...string[]] | undefined> {
  const unshare = findTool('unshare');
  if (unshare !== undefined) {
    const words = ['--map-root-user', '--net'];
    const works = await run(unshare, [...words, 'true']).then(
      () => true,
      () => false,
    );
    if (works) return [unshare, ...words];
  }
  leaveOut(t, 'nobody may make a network namespace here');
  return undefined;
}

function writeFiles(folder: string): string {
  const at = new Date(systemClock.now().getTime() - 24 * 3_600_000);
  const entries = ['signed', 'unsigned', 'stranger'].flatMap((name) => {
    const artifact = buildImage({ name });
    const { descriptor } = artifact;
    const image = { artifact, tag: `${name}:1.0` };
    if (name === 'unsigned') return [image];
    const issuer = name === 'stranger' ? 'https://accounts.stranger.test' : signer.issuer;
    const reference = `images/${name}`;
    const layer = keylessLayer({ of: descriptor, reference, ...signer, issuer, at });
    const tag = `${name}:${signatureTag(descriptor)}`;
    return [image, { artifact: keylessSignature([layer]), tag }];
  });
  mkdirSync(join(folder, 'images'));
  writeLayout(join(folder, 'images'), entries);
  writeFileSync(join(folder, 'trusted_root.json'), trustedRootJson());
  const any = { host: '127.0.0.1', port: 0 };
  const configuration = {
    listen: any,
    admin: any,
    upstreams: { images: { layout: './images' } },
    trustPolicy: './policy.yaml',
    trust: { store: './trust', offline: true, sigstore: { root: { file: './trusted_root.json' } } },
    storage: { path: './data' },
  };
  const rules = [{ repositories: ['images/**'], require: { signedBy: 'dev' } }];
  const policy = { version: 1, identities: { dev: { sigstore: signer } }, rules };
  mkdirSync(join(folder, 'trust'));
  mkdirSync(join(folder, 'data'));
  // JSON is YAML.
  writeFileSync(join(folder, 'policy.yaml'), JSON.stringify(policy));
  writeFileSync(join(folder, 'assay.yaml'), JSON.stringify(configuration));
  return join(folder, 'assay.yaml');
}

t.test('keyless images verify where there is no network', async (t) => {
  const start = await withoutNetwork(t);
  if (start === undefined) return;
  const [unshare, ...words] = start;
  const config = writeFiles(t.testdir({}));
  const verify = async (name: string) => {
    const command = [process.execPath, main, 'verify', `images/${name}:1.0`, '--json'];
    const args = [...words, ...command, '--config', config];
    const answer = await run(unshare, args).catch((error: unknown) => error);
    const { code = 0, stdout } = answer as { code?: number; stdout: string };
    const { verdict } = JSON.parse(stdout) as { verdict: object };
    return { code, verdict };
  };
  const interfaces = await run(unshare, [...words, 'cat', '/proc/net/route']);
  t.equal(interfaces.stdout.trim().split('\n').length, 1, 'there is no route');
  const [signed, unsigned, stranger] = await Promise.all(
    ['signed', 'unsigned', 'stranger'].map(verify),
  );
  t.match(signed, { code: 0, verdict: { kind: 'trusted' } });
  t.match(unsigned, { code: 1, verdict: { kind: 'untrusted', reason: 'unsigned' } });
  t.match(stranger, { code: 1, verdict: { kind: 'untrusted', reason: 'no-trusted-signer' } });
});
