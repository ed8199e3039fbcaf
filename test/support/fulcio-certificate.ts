import { createHash, sign } from 'node:crypto';
import { childrenOf, readDer } from '../../src/crypto/der.ts';
import * as asn1 from './der-encoder.ts';
import type { TestExtension } from './test-certificate.ts';
import { spkiOf, testKey } from './test-keys.ts';

const arc = '1.3.6.1.4.1.57264.1';
const sctList = '1.3.6.1.4.1.11129.2.4.2';

export interface FulcioPlan {
  /** GeneralNames. */
  readonly names?: readonly Uint8Array[];
  /** By the last part of their OID, the value's DER. */
  readonly claims?: Readonly<Record<number, Uint8Array>>;
}

export const uriName = (text: string): Uint8Array => asn1.implicit(6, Buffer.from(text));
export const emailName = (text: string): Uint8Array => asn1.implicit(1, Buffer.from(text));
export const dnsName = (text: string): Uint8Array => asn1.implicit(2, Buffer.from(text));
export const otherName = (oid: string, value: Uint8Array): Uint8Array =>
  asn1.der(0xa0, asn1.oid(oid), asn1.explicit(0, value));

/** The extensions that Fulcio writes into a leaf. */
export function fulcioExtensions(plan: FulcioPlan = {}): readonly TestExtension[] {
  const { names = [emailName('dev@acme.test')], claims = {} } = plan;
  const issuer = { 8: asn1.utf8('https://accounts.acme.test') };
  return [
    ...(names.length === 0
      ? []
      : [{ oid: '2.5.29.17', critical: true, value: asn1.sequence(...names) }]),
    ...Object.entries({ ...issuer, ...claims }).map(([number, value]) => ({
      oid: `${arc}.${number}`,
      value,
    })),
  ];
}

export interface SctPlan {
  /** Names the log's key. */
  readonly log?: string;
  readonly timeMs?: number;
  /** The key of the issuer that it names; of the real one unless told. */
  readonly issuerSpki?: Uint8Array;
  /** Of the certificate as it is: one that comes beside it. */
  readonly detached?: true;
  readonly version?: number;
  readonly algorithm?: readonly [hash: number, signature: number];
  readonly logExtensions?: Uint8Array;
}

export const ctLogKey = (name = 'ctfe') => testKey('EC-256', `log/${name}`);
export const ctLogId = (name = 'ctfe'): Buffer =>
  createHash('sha256')
    .update(spkiOf(ctLogKey(name)))
    .digest();

/** A timestamp (RFC 6962, section 3.2) over a certificate that has none yet. */
export function signSct(
  certificate: Uint8Array,
  issuerSpki: Uint8Array,
  plan: SctPlan = {},
): Buffer {
  const { log, timeMs = Date.parse('2030-01-01T00:00:00Z'), version = 0 } = plan;
  const { algorithm = [4, 3], logExtensions = new Uint8Array() } = plan;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timeMs));
  const [signed] = childrenOf(readDer(certificate));
  const issuerHash = createHash('sha256')
    .update(plan.issuerSpki ?? issuerSpki)
    .digest();
  const entry =
    plan.detached === true
      ? Buffer.concat([Uint8Array.of(0, 0), sized(certificate, 3)])
      : Buffer.concat([
          Uint8Array.of(0, 1),
          issuerHash,
          sized(signed?.bytes ?? new Uint8Array(), 3),
        ]);
  const message = Buffer.concat([Uint8Array.of(0, 0), time, entry, sized(logExtensions, 2)]);
  const signature = sign('sha256', message, ctLogKey(log));
  return Buffer.concat([
    Uint8Array.of(version),
    ctLogId(log),
    time,
    sized(logExtensions, 2),
    Uint8Array.from(algorithm),
    sized(signature, 2),
  ]);
}

/** The extension that holds them. */
export function sctExtension(scts: readonly Uint8Array[]): TestExtension {
  const list = Buffer.concat(scts.map((sct) => sized(sct, 2)));
  return { oid: sctList, value: asn1.octets(sized(list, 2)) };
}

export function sized(bytes: Uint8Array, lengthBytes: number): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}
