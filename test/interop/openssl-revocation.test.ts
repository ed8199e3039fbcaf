import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { findEntries } from '../../src/crypto/crl-entries.ts';
import { checkCrlSignature } from '../../src/crypto/crl-check.ts';
import { readCrl } from '../../src/crypto/crl.ts';
import { answerOf, type OcspAnswer } from '../../src/crypto/ocsp-answer.ts';
import { encodeOcspRequest } from '../../src/crypto/ocsp-request.ts';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { makeDelegate, makeRevocationCase } from '../support/revocation-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import type { BuiltCertificate } from '../support/test-ca.ts';
import { buildCrl, serialOf } from '../support/test-crl.ts';
import { buildOcsp } from '../support/test-ocsp.ts';
import { datesAsText } from '../support/dates-as-text.ts';

const run = promisify(execFile);
const { leaf, issuer, root, read } = makeRevocationCase();
const [certificate, authority] = read;
const delegate = makeDelegate();

interface Desk {
  readonly openssl: string;
  file(name: string): string;
  /** Runs in the folder; resolves with both outputs. */
  call(...args: readonly string[]): Promise<string>;
}

/** OpenSSL over a folder with the certificates, keys and the register of an authority. */
async function setUp(t: Test, register = ''): Promise<Desk | undefined> {
  const openssl = requireTool(t, 'openssl');
  if (openssl === undefined) return undefined;
  const folder = t.testdir();
  const file = (name: string): string => join(folder, name);
  const keep = async (name: string, { pem, privateKey }: BuiltCertificate): Promise<void> => {
    await writeFile(file(`${name}.pem`), pem);
    await writeFile(file(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  };
  await keep('leaf', leaf);
  await keep('issuer', issuer);
  await keep('root', root);
  await keep('delegate', delegate);
  await writeFile(file('index.txt'), register);
  return {
    openssl,
    file,
    async call(...args) {
      const { stdout, stderr } = await run(openssl, args, { cwd: folder, timeout: 20_000 });
      return stdout + stderr;
    },
  };
}

/** A line of OpenSSL's register of certificates. */
function entry(status: 'V' | 'R', { der }: BuiltCertificate, reason = ''): string {
  const serial = Buffer.from(serialOf({ der })).toString('hex').toUpperCase();
  const revoked = status === 'R' ? `250101000000Z${reason}` : '';
  return `${status}\t490101000000Z\t${revoked}\t${serial}\tunknown\t/CN=leaf\n`;
}

/** OpenSSL's answer to our own request, judged by us. */
async function respond(desk: Desk, signer: 'issuer' | 'delegate'): Promise<OcspAnswer> {
  await writeFile(desk.file('request.der'), encodeOcspRequest(certificate, authority));
  const by = ['-rsigner', `${signer}.pem`, '-rkey', `${signer}.key`, '-CA', 'issuer.pem'];
  const inAndOut = ['-reqin', 'request.der', '-respout', 'response.der'];
  await desk.call('ocsp', '-index', 'index.txt', ...by, ...inAndOut, '-ndays', '7');
  const response = readOcspResponse(await readFile(desk.file('response.der')));
  return answerOf(response, certificate, authority, systemClock.now());
}

t.test(
  'OpenSSL answers our requests, and we read its answers, by issuer and delegate',
  async (t) => {
    const desk = await setUp(t, entry('V', leaf));
    if (desk === undefined) return;
    for (const signer of ['issuer', 'delegate'] as const) {
      t.match((await respond(desk, signer)).status, { kind: 'good' }, signer);
    }
    await writeFile(desk.file('index.txt'), entry('R', leaf, ',keyCompromise'));
    t.match(
      datesAsText((await respond(desk, 'issuer')).status),
      datesAsText({
        kind: 'revoked',
        reason: 'keyCompromise',
        revokedAt: new Date('2025-01-01T00:00:00Z'),
      }),
    );
    await writeFile(desk.file('index.txt'), '');
    t.match((await respond(desk, 'delegate')).status, { kind: 'unknown' });
  },
);

t.test('OpenSSL verifies the responses that our tests are made of', async (t) => {
  const desk = await setUp(t);
  if (desk === undefined) return;
  const now = systemClock.now().getTime();
  const at = (days: number): string => new Date(now + days * 86_400_000).toISOString();
  const response = buildOcsp({
    issuer,
    signer: delegate,
    certificates: [delegate],
    producedAt: at(-1),
    answers: [
      {
        certificate: leaf,
        status: { reason: 4, revokedAt: at(-2) },
        thisUpdate: at(-1),
        nextUpdate: at(6),
      },
    ],
  });
  await writeFile(desk.file('response.der'), response);
  await writeFile(desk.file('chain.pem'), issuer.pem + root.pem);
  const which = ['-issuer', 'issuer.pem', '-cert', 'leaf.pem', '-no_nonce'];
  const trust = ['-CAfile', 'chain.pem'];
  const said = await desk.call('ocsp', ...which, '-respin', 'response.der', ...trust);
  t.match(said, /Response verify OK/);
  t.match(said, /leaf\.pem: revoked[^]*Reason: superseded/);
});

t.test('OpenSSL makes lists that we read, and reads those that our tests make', async (t) => {
  const desk = await setUp(t, entry('R', leaf, ',superseded'));
  if (desk === undefined) return;
  await writeFile(desk.file('crlnumber'), '1F\n');
  await writeFile(
    desk.file('ca.cnf'),
    '[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n',
  );
  const by = ['-keyfile', 'issuer.key', '-cert', 'issuer.pem', '-crldays', '7'];
  await desk.call('ca', '-gencrl', '-config', 'ca.cnf', ...by, '-out', 'list.pem');
  await desk.call('crl', '-in', 'list.pem', '-outform', 'DER', '-out', 'list.der');
  const crl = readCrl(await readFile(desk.file('list.der')));
  await checkCrlSignature(crl, authority);
  t.equal(crl.number, 0x1fn);
  const steps = findEntries(crl.entries, certificate.serialNumber);
  t.match(steps.next().value, [{ reason: 'superseded' }]);

  const ours = buildCrl({ issuer, revoked: [{ certificate: leaf, reason: 1 }], number: 7 });
  await writeFile(desk.file('ours.der'), ours);
  const options = ['-inform', 'DER', '-in', 'ours.der', '-noout', '-text'];
  const text = await desk.call('crl', ...options, '-CAfile', 'issuer.pem', '-verify');
  t.match(text, /verify OK/);
  const serial = Buffer.from(serialOf(leaf)).toString('hex').toUpperCase();
  t.match(text, new RegExp(`Serial Number: ${serial}[^]*Key Compromise`));
});
