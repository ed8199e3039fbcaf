import t from 'tap';
import type { NotationEnvelope } from '../../../../src/formats/notation/notation-envelope.ts';
import { payloadType } from '../../../../src/formats/notation/notation-envelope.ts';
import { checkPayloadNamesSubject } from '../../../../src/formats/notation/payload.ts';
import { buildImage, plainDescriptor } from '../../../support/build-image.ts';

const { descriptor: subject } = buildImage();
const check = (payload: unknown, contentType = payloadType) =>
  checkPayloadNamesSubject(
    { contentType, payload: Buffer.from(JSON.stringify(payload)) } as unknown as NotationEnvelope,
    subject,
  );

t.test('a payload that names the subject passes, whatever else it says', async (t) => {
  t.match(check({ targetArtifact: plainDescriptor(subject) }), { outcome: 'passed' });
  const annotations = { a: 'b' };
  t.match(check({ more: 1, targetArtifact: { ...plainDescriptor(subject), annotations } }), {
    outcome: 'passed',
  });
});

t.test('a payload of another type, of other content or of none fails', async (t) => {
  const targetArtifact = plainDescriptor(subject);
  const invalid = { outcome: 'failed', reason: 'signature-invalid' };
  t.match(check({ targetArtifact }, 'application/json'), { ...invalid, because: /content type/ });
  t.match(check({ targetArtifact: { ...targetArtifact, size: 1 } }), {
    ...invalid,
    because: /size "1", not "\d+"/,
  });
  t.match(check({}), { ...invalid, because: /targetArtifact is not a descriptor/ });
  t.match(check([]), { ...invalid, because: /no JSON object/ });
});

t.test('text of a stranger is shown in quotes and cut', async (t) => {
  const because = /content type is "a\\nb\\u202e(?:x)+…"|content type is "a.nb.u202ex+.u2026"/;
  t.match(check({}, `a\nb\u202e${'x'.repeat(1000)}`), { because });
});
