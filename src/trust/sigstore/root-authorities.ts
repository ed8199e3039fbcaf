import { readCertificate } from '../../crypto/certificate.ts';
import { EnvelopeError } from '../../crypto/envelope-error.ts';
import type { JsonFields } from '../../crypto/json-fields.ts';
import type { Certificate } from '../../crypto/x509.ts';
import { isNonEmpty } from '../../kernel/non-empty.ts';
import { operatorOf, readUrl, readValidityPeriod } from './root-fields.ts';
import { malformedRoot } from './root-problem.ts';
import type { CertificateAuthority } from './sigstore-root.ts';

const maxChain = 8;

/** An entry of `certificateAuthorities` or `timestampAuthorities`. */
export function readAuthority(entry: JsonFields): CertificateAuthority {
  const uri = entry.has('uri') ? readUrl(entry, 'uri') : undefined;
  const chain = entry
    .object('certChain')
    .objects('certificates', maxChain)
    .map((item) => readItem(item));
  if (!isNonEmpty(chain)) throw malformedRoot(`${entry.path}.certChain is empty`);
  return {
    uri: uri ?? '',
    operator: operatorOf(entry, uri),
    chain,
    validFor: readValidityPeriod(entry),
  };
}

function readItem(item: JsonFields): Certificate {
  try {
    return readCertificate(item.bytes('rawBytes'));
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw malformedRoot(`${item.path}: ${cause.message}`, cause);
  }
}
