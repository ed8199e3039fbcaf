import { type KeyObject, randomBytes } from 'node:crypto';
import * as asn1 from './der-encoder.ts';
import {
  emailName,
  fulcioExtensions,
  type SctPlan,
  sctExtension,
  signSct,
  uriName,
} from './fulcio-certificate.ts';
import { buildCertificate, type TestExtension } from './test-certificate.ts';
import { spkiOf, testKey } from './test-keys.ts';

export interface LeafPlan {
  /** The signer's; either half. */
  readonly key: KeyObject;
  /** An address, or the URI of a workflow. */
  readonly subject: string;
  /** Who vouched for it. */
  readonly issuer: string;
  /** The first second of its validity. */
  readonly at: Date;
  /** Of its validity; ten unless told, as Fulcio's. */
  readonly minutes?: number;
  /** The authority whose intermediate issues it, as `makeChain` names it; `acme` unless told. */
  readonly authority?: string;
  /** More claims, by the last part of their OID. */
  readonly claims?: Readonly<Record<number, Uint8Array>>;
  /** None, or made otherwise; by the log `ctfe` unless told. */
  readonly sct?: 'absent' | SctPlan;
}

const codeSigning = '1.3.6.1.5.5.7.3.3';

/** DER of a certificate as Fulcio issues it, with the timestamp of a certificate log in it. */
export function issueLeaf(plan: LeafPlan): Buffer {
  const { key, subject, at, minutes = 10, authority = 'acme', sct = {} } = plan;
  const issuer = issuerOf(authority);
  // The same in the certificate that the log saw.
  const serial = Buffer.concat([Uint8Array.of(1), randomBytes(15)]);
  const issue = (...more: readonly TestExtension[]): Uint8Array =>
    buildCertificate({
      subject: [],
      issuer: issuer.subject,
      privateKey: key,
      issuerKey: issuer.key,
      serial,
      notBefore: at.toISOString(),
      notAfter: new Date(at.getTime() + minutes * 60_000).toISOString(),
      keyUsage: { bits: ['digitalSignature'] },
      extendedKeyUsage: { purposes: [codeSigning] },
      extensions: [...extensionsOf(plan, subject), ...more],
    });
  if (sct === 'absent') return Buffer.from(issue());
  const timestamp = signSct(issue(), spkiOf(issuer.key), { timeMs: at.getTime(), ...sct });
  return Buffer.from(issue(sctExtension([timestamp])));
}

function extensionsOf({ issuer, claims }: LeafPlan, subject: string): readonly TestExtension[] {
  const names = [subject.includes('://') ? uriName(subject) : emailName(subject)];
  const said = fulcioExtensions({ names, claims: { ...claims, 8: asn1.utf8(issuer) } });
  // Older clients read this one, which is no DER.
  return [...said, { oid: '1.3.6.1.4.1.57264.1.1', value: Buffer.from(issuer) }];
}

/** The intermediate of `makeChain`, which has the same name and key whatever else it says. */
function issuerOf(authority: string): { readonly subject: string; readonly key: KeyObject } {
  const subject = `C=US, ST=WA, O=${authority}, CN=${authority} intermediate 0`;
  return { subject, key: testKey('EC-256', `${authority}/intermediate 0`) };
}
