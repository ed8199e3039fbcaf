import t from 'tap';
import { renderTrustList } from '../../src/cli/render-trust-list.ts';
import { plainPaint } from '../../src/cli/terminal.ts';
import type { AnchorListed, TrustList } from '../../src/compose/trust-list.ts';
import { matchesGolden } from '../support/golden.ts';

function anchor(subject: string, replaced: Partial<AnchorListed> = {}): AnchorListed {
  return {
    subject,
    issuer: subject,
    fingerprint: 'ab'.repeat(32),
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2031-01-01T00:00:00Z'),
    state: 'valid',
    daysLeft: 365,
    ...replaced,
  };
}

const list: TrustList = {
  policy: { file: '/etc/assay/policy.yaml', digest: '0123456789abcdef' },
  stores: [
    {
      store: 'ca:acme',
      folder: '/etc/assay/trust/x509/ca/acme',
      usedBy: ['acme-release', 'acme-old'],
      anchors: [
        anchor('CN=acme 1,O=acme', { state: 'ended', daysLeft: -1 }),
        anchor('CN=acme 2\u202e,O=acme', { daysLeft: 1 }),
        anchor('CN=acme 3,O=acme', {
          state: 'not-yet-valid',
          notBefore: new Date('2030-02-01T00:00:00Z'),
        }),
      ],
    },
    { store: 'ca:gone', folder: '/etc/assay/trust/x509/ca/gone', usedBy: ['gone'], anchors: [] },
    {
      store: 'tsa:clock',
      folder: '/etc/assay/trust/x509/tsa/clock',
      usedBy: [],
      anchors: [anchor('CN=clock')],
    },
  ],
  sigstoreRoots: [
    {
      name: 'default',
      usedBy: ['kubernetes'],
      kind: 'tuf',
      from: 'https://tuf.example.test',
      digest: '01'.repeat(32),
      asOf: new Date('2026-01-01T00:00:00Z'),
      expiresAt: new Date('2026-01-08T00:00:00Z'),
      hasEnded: true,
      logs: 2,
      certificateLogs: 1,
      certificateAuthorities: 1,
      timestampAuthorities: 0,
      leftOut: ['tlogs[2]: keys of kind "ML_DSA_65" are not accepted'],
    },
    {
      name: 'acme',
      usedBy: [],
      kind: 'none',
      hasEnded: false,
      logs: 0,
      certificateLogs: 0,
      certificateAuthorities: 0,
      timestampAuthorities: 0,
      leftOut: [],
    },
  ],
  plugins: [
    {
      name: 'com.example.plugin',
      path: '/opt/plugins/notation-example',
      sha256: 'cd'.repeat(32),
      version: '1.2.0',
      capabilities: ['SIGNATURE_VERIFIER.REVOCATION_CHECK'],
    },
    {
      name: 'com.example.changed',
      path: '/opt/plugins/notation-changed',
      sha256: 'ef'.repeat(32),
      because: 'it has another SHA-256',
    },
  ],
  problems: ['the plugin com.example.changed can not be used: it has another SHA-256'],
};

t.test('the list of trust material reads as its golden file', async (t) => {
  const none: TrustList = { ...list, stores: [], sigstoreRoots: [], plugins: [], problems: [] };
  const text = [list, none].map((each) => renderTrustList(each, plainPaint)).join('\n\n---\n\n');
  matchesGolden(t, 'test/golden/trust-list.txt', text);
});
