import t from 'tap';
import type {
  AttributeLabel,
  NotationEnvelope,
} from '../../../../src/formats/notation/notation-envelope.ts';
import {
  checkCriticalAttributes,
  describeAttributes,
  readSignedAttributes,
} from '../../../../src/formats/notation/signed-attributes.ts';
import type { VerificationPlugin } from '../../../../src/plugins/verification-plugin.ts';

const prefix = 'io.cncf.notary';
const scheme = `${prefix}.signingScheme`;
const signingTime = `${prefix}.signingTime`;
const authenticSigningTime = `${prefix}.authenticSigningTime`;
const expiry = `${prefix}.expiry`;
const plugin = `${prefix}.verificationPlugin`;
const minVersion = `${prefix}.verificationPluginMinVersion`;
const time = new Date('2026-01-01T00:00:00Z');
const later = new Date('2027-01-01T00:00:00Z');

type Values = Readonly<Record<string, string | Date>>;
const byAuthority: Values = {
  [scheme]: 'notary.x509.signingAuthority',
  [authenticSigningTime]: time,
};
const byCertificate: Values = { [scheme]: 'notary.x509', [signingTime]: time };

function envelope(
  values: Values,
  critical: readonly AttributeLabel[] = [scheme],
): NotationEnvelope {
  return {
    claimedAlgorithm: 'ES256',
    contentType: '',
    critical,
    labels: new Set(Object.keys(values)),
    text: (name) => values[name] as string | undefined,
    time: (name) => values[name] as Date | undefined,
    json: (name) => values[name] as string,
    payload: new Uint8Array(),
    certificates: [new Uint8Array()],
    timestampToken: undefined,
    signature: new Uint8Array(),
    isSignedBy: () => false,
  };
}

const refusal = (message: RegExp) => ({ code: 'ATTRIBUTES_MALFORMED', message });

t.test('each scheme has its own time', async (t) => {
  t.strictSame(readSignedAttributes(envelope(byCertificate)), {
    scheme: 'notary.x509',
    signingTime: time,
    expiry: undefined,
  });
  t.strictSame(readSignedAttributes(envelope({ ...byAuthority, [expiry]: later })), {
    scheme: 'notary.x509.signingAuthority',
    authenticSigningTime: time,
    expiry: later,
  });
});

const refused: Readonly<Record<string, [values: Values, why: RegExp]>> = {
  'no scheme': [{ [signingTime]: time }, /scheme is missing/],
  'an unknown scheme': [{ ...byCertificate, [scheme]: 'a"b' }, /scheme is "a\\"b"/],
  'both times': [{ ...byCertificate, [authenticSigningTime]: time }, /is not allowed with/],
  'both times by an authority': [{ ...byAuthority, [signingTime]: time }, /is not allowed with/],
  'no time': [{ [scheme]: 'notary.x509' }, /signingTime is missing/],
  'an expiry at its time': [{ ...byCertificate, [expiry]: time }, /expires before/],
};

for (const [what, [values, why]] of Object.entries(refused)) {
  t.test(`attributes with ${what} are refused`, async (t) => {
    t.throws(() => readSignedAttributes(envelope(values)), refusal(why));
  });
}

t.test('a time that the signer claims is shown as a claim', async (t) => {
  t.strictSame(describeAttributes(readSignedAttributes(envelope(byCertificate))), {
    scheme: 'notary.x509',
    claimedSigningTime: '2026-01-01T00:00:00.000Z',
  });
  t.strictSame(
    describeAttributes(readSignedAttributes(envelope({ ...byAuthority, [expiry]: later }))),
    {
      scheme: 'notary.x509.signingAuthority',
      authenticSigningTime: '2026-01-01T00:00:00.000Z',
      expiry: '2027-01-01T00:00:00.000Z',
    },
  );
});

const allowed = {} as VerificationPlugin;

function check(values: Values, critical: readonly AttributeLabel[]) {
  const read = envelope(values, critical);
  const plugins = { get: (name: string) => (name === 'allowed' ? allowed : undefined) };
  return checkCriticalAttributes(read, readSignedAttributes(read), plugins);
}

t.test('what must be critical and is known passes', async (t) => {
  t.match(check(byCertificate, [scheme]), { outcome: 'passed' });
  t.match(check(byAuthority, [authenticSigningTime, scheme]), { outcome: 'passed' });
  t.match(check({ ...byCertificate, [expiry]: later }, [scheme, expiry]), { outcome: 'passed' });
});

const wrong: Readonly<Record<string, [Values, readonly AttributeLabel[], RegExp]>> = {
  'nothing listed': [byCertificate, [], /signingScheme is not marked/],
  'an authentic time not listed': [byAuthority, [scheme], /authenticSigningTime is not marked/],
  'an expiry not listed': [{ ...byCertificate, [expiry]: later }, [scheme], /expiry is not marked/],
  'a label listed twice': [byCertificate, [scheme, scheme], /twice/],
  'a label that is not there': [byCertificate, [scheme, expiry], /expiry" is listed, but/],
  'an integer': [byCertificate, [scheme, 7], /"7" is listed, but/],
  'an unknown attribute': [{ ...byCertificate, a: 'b' }, [scheme, 'a'], /"a" is critical and not/],
  'a claimed time': [
    byCertificate,
    [scheme, signingTime],
    /signingTime" is critical and not known/,
  ],
  'a least version of a plugin that is not named': [
    { ...byCertificate, [minVersion]: '1.0.0' },
    [scheme, minVersion],
    /verificationPluginMinVersion" is critical and not known/,
  ],
  'a plugin that is not listed': [
    { ...byCertificate, [plugin]: 'allowed' },
    [scheme],
    /verificationPlugin is not marked/,
  ],
  'a least version that is not listed': [
    { ...byCertificate, [plugin]: 'allowed', [minVersion]: '1.0.0' },
    [scheme, plugin],
    /verificationPluginMinVersion is not marked/,
  ],
};

for (const [what, [values, critical, because]] of Object.entries(wrong)) {
  t.test(`critical attributes with ${what} fail`, async (t) => {
    t.match(check(values, critical), { outcome: 'failed', reason: 'signature-invalid', because });
  });
}

t.test('a plugin that is not allowed is refused with what to do', async (t) => {
  t.match(check({ ...byCertificate, [plugin]: 'a' }, [scheme, plugin]), {
    outcome: 'failed',
    reason: 'plugin-needed',
    because: /plugin "a": allow it under trust\.plugins/,
  });
});

t.test('an allowed plugin, its least version and what only it knows pass so far', async (t) => {
  const asked = { ...byCertificate, [plugin]: 'allowed', [minVersion]: '1.0.0', a: 'b' };
  t.match(check(asked, [scheme, plugin, minVersion, 'a']), { outcome: 'passed' });
});

t.test('an integer is nothing that a plugin could be told of', async (t) => {
  const read = envelope({ ...byCertificate, [plugin]: 'allowed' }, [scheme, plugin, 7]);
  const labels = new Set([...read.labels, 7]);
  const found = checkCriticalAttributes({ ...read, labels }, readSignedAttributes(read), {
    get: () => allowed,
  });
  t.match(found, { outcome: 'failed', because: /"7" is critical and not known/ });
});

t.test('a least version that is none is malformed', async (t) => {
  const asked = { ...byCertificate, [plugin]: 'allowed', [minVersion]: 'v1' };
  t.throws(() => check(asked, [scheme, plugin, minVersion]), refusal(/"v1" is no version/));
});
