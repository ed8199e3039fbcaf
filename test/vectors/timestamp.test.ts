import t from 'tap';
import { findTimestampSigner } from '../../src/crypto/timestamp-signer.ts';
import {
  isTimestampOf,
  readTimestampResponse,
  readTimestampToken,
  type TimestampToken,
} from '../../src/crypto/timestamp-token.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { readCertificateFile } from '../../src/trust/certificate-file.ts';
import { type TimestampRoot, trustTimestampAuthority } from '../../src/trust/timestamp-authority.ts';
import { listVectors, type ReadVector, requireVectors } from '../support/vectors.ts';

interface Row {
  /** What becomes of it where the root in the folder is trusted. */
  readonly outcome: 'trusted' | 'malformed' | 'unsigned' | 'untrusted';
  readonly because: RegExp;
  readonly why: string;
}

/** Every file of the folder; one that is not here fails the test. */
const rows: Readonly<Record<string, Row>> = {
  'TimeStampToken.p7s': {
    outcome: 'trusted',
    because: /2021-09-17T14:09:09.000Z to 2021-09-17T14:09:11.000Z/,
    why: 'by GlobalSign, over a cross-certificate to the root; 1 second of accuracy',
  },
  'granted.tsq': {
    outcome: 'trusted',
    because: /2021-09-18T11:54:33.000Z to 2021-09-18T11:54:35.000Z/,
    why: 'a whole answer of the same authority, which granted the token',
  },
  'rejection.tsq': {
    outcome: 'malformed',
    because: /did not grant it \(status 2\)/,
    why: 'an answer of an authority that refused',
  },
  'TimeStampTokenNoRoot.p7s': {
    outcome: 'untrusted',
    because: /no trusted authority issued the certificate "CN=Microsoft Public RSA Time Stamping/,
    why: 'by Microsoft; its root is neither in the token nor trusted here',
  },
  'TimeStampTokenWithInvalidSignature.p7s': {
    outcome: 'unsigned',
    because: /does not verify with the key/,
    why: 'the signature was changed',
  },
  'TimeStampTokenWithInvalidTSTInfo.p7s': {
    outcome: 'malformed',
    because: /not a TSTInfo: .*the time is missing/,
    why: 'it states no time',
  },
  'TimeStampTokenWithInvalideContentType.p7s': {
    outcome: 'malformed',
    because: /content of type 1.2.840.113549.1.7.1$/,
    why: 'it is signed data of another kind',
  },
  'TimeStampTokenWithTSTInfoVersion2.p7s': {
    outcome: 'malformed',
    because: /not a TSTInfo: its version is not 1/,
    why: 'there is no version 2',
  },
  'TimeStampTokenWithoutCertificate.p7s': {
    outcome: 'unsigned',
    because: /its signer's certificate is not there/,
    why: 'nobody asked the authority for its certificate',
  },
  'TimeStampTokenWithoutSigningCertificate.p7s': {
    outcome: 'malformed',
    because: /it has no signing-certificate-v2$/,
    why: 'the attribute that says whose signature it is was taken out',
  },
};

const rootFile = 'GlobalSignRootCA.crt';

const read = requireVectors(t);
if (read !== undefined) checkTokens(read);

function checkTokens(read: ReadVector): void {
  const roots = readCertificateFile(read(`timestamp/${rootFile}`), rootFile).map(
    (certificate): TimestampRoot => ({ certificate }),
  );

  t.test('every published token has its row', async (t) => {
    t.strictSame(listVectors('timestamp/'), [...Object.keys(rows), rootFile].toSorted());
  });

  for (const [file, { outcome, because, why }] of Object.entries(rows)) {
    t.test(`${file} is ${outcome}: ${why}`, async (t) => {
      t.match(judge(read(`timestamp/${file}`), file, roots), { outcome, because });
    });
  }

  t.test('the token of GlobalSign is about the word that was stamped, and no other', async (t) => {
    const token = readTimestampToken(read('timestamp/TimeStampToken.p7s'));
    t.ok(isTimestampOf(token, Buffer.from('notation')));
    t.notOk(isTimestampOf(token, Buffer.from('Notation')));
  });
}

function judge(
  bytes: Uint8Array,
  file: string,
  roots: readonly TimestampRoot[],
): Pick<Row, 'outcome'> & { readonly because: string } {
  let token: TimestampToken;
  try {
    token = file.endsWith('.tsq') ? readTimestampResponse(bytes) : readTimestampToken(bytes);
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    return { outcome: 'malformed', because: error.message };
  }
  const signer = findTimestampSigner(token);
  if (signer.kind === 'none') return { outcome: 'unsigned', because: signer.because };
  const authority = trustTimestampAuthority({ token, signer: signer.certificate, roots });
  if (authority.kind === 'untrusted') return { outcome: 'untrusted', because: authority.because };
  const { earliest, latest } = authority.time;
  const because = `${earliest.toISOString()} to ${latest.toISOString()}`;
  return { outcome: 'trusted', because };
}
