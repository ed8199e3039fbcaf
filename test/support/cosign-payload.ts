import type { Digest } from '../../src/oci/digest.ts';

export interface PayloadPlan {
  readonly digest: Digest | string;
  readonly reference?: string;
  readonly type?: string;
  readonly optional?: Readonly<Record<string, unknown>> | null;
}

/** The JSON that cosign signs, by default for `ghcr.io/acme/app`. */
export function cosignPayload(plan: PayloadPlan): Buffer {
  const { digest, reference = 'ghcr.io/acme/app', optional = null } = plan;
  const { type = 'cosign container image signature' } = plan;
  const identity = { 'docker-reference': reference };
  const critical = { identity, image: { 'docker-manifest-digest': digest }, type };
  return Buffer.from(JSON.stringify({ critical, optional }));
}
