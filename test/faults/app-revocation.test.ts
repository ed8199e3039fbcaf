import t from 'tap';
import {
  makeRevocationApp,
  pull,
  type RevocationApp,
  type Sources,
} from '../support/revocation-app.ts';
import { makeDelegate, makeStranger } from '../support/revocation-kit.ts';
import { buildCrl } from '../support/test-crl.ts';

const revoked = '403 certificate-revoked';
const unknown = '503 revocation-unknown';
const critical = [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }];

interface Row {
  readonly sources: Sources;
  readonly set?: (world: RevocationApp) => void;
  readonly strict: string;
}

/** What the hosts answer, and what becomes of a pull under level strict. */
const rows: Readonly<Record<string, Row>> = {
  'all is good, by OCSP': { sources: 'ocsp', strict: 'served' },
  'all is good, by lists': { sources: 'crl', strict: 'served' },
  'the leaf is revoked, by OCSP': {
    sources: 'ocsp',
    set: ({ server, leafOcsp }) =>
      server.serve('/leaf/ocsp', () => leafOcsp({}, { status: { reason: 1 } })),
    strict: revoked,
  },
  'the leaf is revoked, by its list': {
    sources: 'crl',
    set: ({ server, leafCrl, chain }) =>
      server.serve('/leaf.crl', () => leafCrl({ revoked: [chain.leaf] })),
    strict: revoked,
  },
  'the intermediate is revoked, by OCSP': {
    sources: 'ocsp',
    set: ({ server, middleOcsp }) => server.serve('/middle/ocsp', () => middleOcsp({ status: {} })),
    strict: revoked,
  },
  'the intermediate is revoked, by its list': {
    sources: 'crl',
    set: ({ server, chain, middle }) =>
      server.serve('/middle.crl', () =>
        Buffer.from(
          buildCrl({ issuer: chain.root, nextUpdate: '2030-01-08T00:00:00Z', revoked: [middle] }),
        ),
      ),
    strict: revoked,
  },
  'the list is out of date': {
    sources: 'crl',
    set: ({ server, leafCrl }) =>
      server.serve('/leaf.crl', () => leafCrl({ nextUpdate: '2029-12-31T00:00:00Z' })),
    strict: unknown,
  },
  'a delta revokes the leaf': {
    sources: 'crl',
    set: ({ server, leafCrl, chain }) => {
      const freshestUrls = [`${server.url}/delta.crl`];
      server.serve('/leaf.crl', () => leafCrl({ number: 4, freshestUrls }));
      server.serve('/delta.crl', () =>
        leafCrl({ number: 5, baseNumber: 4, revoked: [chain.leaf] }),
      );
    },
    strict: revoked,
  },
  'the delta is not there': {
    sources: 'crl',
    set: ({ server, leafCrl }) =>
      server.serve('/leaf.crl', () => leafCrl({ freshestUrls: [`${server.url}/delta.crl`] })),
    strict: unknown,
  },
  'the list has what must not be passed by': {
    sources: 'crl',
    set: ({ server, leafCrl }) =>
      server.serve('/leaf.crl', () => leafCrl({ extensions: critical })),
    strict: unknown,
  },
  'the responder lies about its signature': {
    sources: 'ocsp',
    set: ({ server, leafOcsp }) =>
      server.serve('/leaf/ocsp', () => {
        const bytes = leafOcsp();
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        return bytes;
      }),
    strict: unknown,
  },
  'the responder answers for another number': {
    sources: 'ocsp',
    set: ({ server, leafOcsp, middle }) =>
      server.serve('/leaf/ocsp', () => leafOcsp({}, { certificate: middle })),
    strict: unknown,
  },
  'a stranger signs for the responder': {
    sources: 'ocsp',
    set: ({ server, leafOcsp }) =>
      server.serve('/leaf/ocsp', () =>
        leafOcsp({ signer: makeStranger(), certificates: [makeStranger()] }),
      ),
    strict: unknown,
  },
  'a delegate signs': {
    sources: 'ocsp',
    set: ({ server, leafOcsp }) => {
      const signer = makeDelegate();
      server.serve('/leaf/ocsp', () => leafOcsp({ signer, certificates: [signer] }));
    },
    strict: 'served',
  },
  'a delegate without the purpose signs': {
    sources: 'ocsp',
    set: ({ server, leafOcsp }) => {
      const signer = makeDelegate({ extendedKeyUsage: 'absent' });
      server.serve('/leaf/ocsp', () => leafOcsp({ signer, certificates: [signer] }));
    },
    strict: unknown,
  },
  'the responder does not know the leaf, its list does': {
    sources: 'both',
    set: ({ server, leafOcsp, leafCrl, chain }) => {
      server.serve('/leaf/ocsp', () => leafOcsp({}, { status: 'unknown' }));
      server.serve('/leaf.crl', () => leafCrl({ revoked: [chain.leaf] }));
    },
    strict: revoked,
  },
  'the responder hangs, the list tells': {
    sources: 'both',
    set: ({ server }) => server.serve('/leaf/ocsp', () => 'hang'),
    strict: 'served',
  },
  'the responder hangs, and there is no list': {
    sources: 'ocsp',
    set: ({ server }) => server.serve('/leaf/ocsp', () => 'hang'),
    strict: unknown,
  },
  'the responder sends without end': {
    sources: 'ocsp',
    set: ({ server }) => server.serve('/leaf/ocsp', () => 'endless'),
    strict: unknown,
  },
};

for (const [title, { sources, set, strict }] of Object.entries(rows)) {
  t.test(`${title}: strict ${strict}`, async (t) => {
    const world = await makeRevocationApp(t, sources);
    set?.(world);
    t.equal(await pull(await world.start()), strict);
  });
}
