import t from 'tap';
import { checkSimpleSigning } from '../../../../src/formats/sigstore/simple-signing.ts';
import { digestOf } from '../../../../src/oci/digest.ts';
import { cosignPayload } from '../../../support/cosign-payload.ts';

const subject = digestOf(Buffer.from('the image'));
const other = digestOf(Buffer.from('another image'));
const names = {
  scope: 'ghcr.io/acme/app',
  aliases: ['registry.test:5000/acme/app'],
  signedAs: ['registry.k8s.io', 'staging.test/acme'],
};
const check = (payload: Uint8Array) => checkSimpleSigning(payload, subject, names);

t.test('a payload that names the manifest and its repository passes', async (t) => {
  t.match(check(cosignPayload({ digest: subject })), {
    outcome: 'passed',
    evidence: { subject, 'docker-reference': 'ghcr.io/acme/app' },
  });
});

const accepted: Readonly<Record<string, Buffer>> = {
  'signed annotations': cosignPayload({ digest: subject, optional: { team: 'a', n: [1] } }),
  'no optional member': Buffer.from(
    String(cosignPayload({ digest: subject })).replace(',"optional":null', ''),
  ),
  "the upstream's host": cosignPayload({
    digest: subject,
    reference: 'registry.test:5000/acme/app',
  }),
  'a tag': cosignPayload({ digest: subject, reference: 'ghcr.io/acme/app:1.0' }),
  'a tag and the digest': cosignPayload({
    digest: subject,
    reference: `ghcr.io/acme/app:1.0@${subject}`,
  }),
  'a tag after a port': cosignPayload({
    digest: subject,
    reference: 'registry.test:5000/acme/app:1.0',
  }),
  'a repository of a registry in signedAs': cosignPayload({
    digest: subject,
    reference: 'registry.k8s.io/kubernetes/kube-apiserver',
  }),
  'a repository below one in signedAs': cosignPayload({
    digest: subject,
    reference: 'staging.test/acme/app',
  }),
  'a repository in signedAs': cosignPayload({ digest: subject, reference: 'staging.test/acme' }),
};
for (const [what, payload] of Object.entries(accepted)) {
  t.test(`${what} may be in it`, async (t) => t.match(check(payload), { outcome: 'passed' }));
}

const foreign: Readonly<Record<string, readonly [payload: Buffer, because: RegExp]>> = {
  'another manifest': [cosignPayload({ digest: other }), /over other content/],
  'the digest in upper case': [
    cosignPayload({ digest: subject.toUpperCase() }),
    /over other content/,
  ],
  'a digest without algorithm': [cosignPayload({ digest: subject.slice(7) }), /over other content/],
  'another repository': [
    cosignPayload({ digest: subject, reference: 'ghcr.io/acme/other' }),
    /signed for "ghcr.io\/acme\/other", not for ghcr.io\/acme\/app/,
  ],
  'a repository below it': [
    cosignPayload({ digest: subject, reference: 'ghcr.io/acme/app/x' }),
    /signed for/,
  ],
  'a repository that begins alike': [
    cosignPayload({ digest: subject, reference: 'ghcr.io/acme/app-evil' }),
    /signed for/,
  ],
  'a registry that begins like one in signedAs': [
    cosignPayload({ digest: subject, reference: 'registry.k8s.io.evil.test/app' }),
    /signed for/,
  ],
  'a repository that begins like one in signedAs': [
    cosignPayload({ digest: subject, reference: 'staging.test/acme-evil/app' }),
    /signed for/,
  ],
  'its name in another case': [
    cosignPayload({ digest: subject, reference: 'ghcr.io/Acme/app' }),
    /signed for/,
  ],
  'its name and a line break': [
    cosignPayload({ digest: subject, reference: 'ghcr.io/acme/app\n' }),
    /signed for "ghcr.io\/acme\/app\\n"/,
  ],
  'its host alone': [cosignPayload({ digest: subject, reference: 'ghcr.io' }), /signed for/],
  'its host and a port': [
    cosignPayload({ digest: subject, reference: 'ghcr.io:443/acme/app' }),
    /signed for/,
  ],
  'another digest in the reference': [
    cosignPayload({ digest: subject, reference: `ghcr.io/acme/app@${other}` }),
    /names another digest/,
  ],
  'two digests in the reference': [
    cosignPayload({ digest: subject, reference: `ghcr.io/acme/app@${other}@${subject}` }),
    /names another digest/,
  ],
};
for (const [what, [payload, because]] of Object.entries(foreign)) {
  t.test(`a payload that names ${what} is for something else`, async (t) => {
    t.match(check(payload), { outcome: 'failed', reason: 'signature-invalid', because });
  });
}

const good = String(cosignPayload({ digest: subject }));
const malformed: Readonly<Record<string, readonly [payload: string, why: RegExp]>> = {
  'no JSON': ['{', /no JSON/],
  'a list': ['[]', /no object/],
  'another member': [good.replace('"optional"', '"more":1,"optional"'), /"more" is not known/],
  'no critical': ['{"optional":null}', /critical is missing/],
  'Critical for critical': [good.replace('critical', 'Critical'), /"Critical" is not known/],
  'critical twice': [good.replace('{"critical"', '{"critical":{},"critical"'), /stands twice/],
  'another member of critical': [
    good.replace('"identity"', '"more":1,"identity"'),
    /critical\."more" is not known/,
  ],
  'another member of identity': [
    good.replace('"docker-reference"', '"more":1,"docker-reference"'),
    /critical\.identity\."more" is not known/,
  ],
  'another member of image': [
    good.replace('"docker-manifest-digest"', '"more":1,"docker-manifest-digest"'),
    /critical\.image\."more" is not known/,
  ],
  'two digests': [
    good.replace('"docker-manifest-digest"', `"docker-manifest-digest":"${other}",$&`),
    /stands twice/,
  ],
  'another type': [
    String(cosignPayload({ digest: subject, type: 'atomic container signature' })),
    /critical.type is not "cosign container image signature"/,
  ],
  'no type': [good.replace(',"type":"cosign container image signature"', ''), /type is missing/],
  'an empty reference': [
    String(cosignPayload({ digest: subject, reference: '' })),
    /docker-reference is empty/,
  ],
  'no reference': [good.replace(/"identity":\{.*?\}/, '"identity":{}'), /reference is missing/],
  'a reference that is a number': [
    good.replace('"ghcr.io/acme/app"', '1'),
    /docker-reference is no text/,
  ],
  'an optional that is text': [good.replace('null', '"x"'), /optional is no object/],
};
for (const [what, [payload, why]] of Object.entries(malformed)) {
  t.test(`a payload with ${what} is malformed`, async (t) => {
    const expected = { code: 'COSIGN_MALFORMED', message: why };
    t.throws(() => check(Buffer.from(payload)), expected);
  });
}
