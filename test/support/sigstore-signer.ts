import {
  type FulcioPlan,
  fulcioExtensions,
  sctExtension,
  type SctPlan,
  signSct,
} from './fulcio-certificate.ts';
import { type Chain, type ChainOptions, makeChain } from './test-ca.ts';
import { spkiOf, testKey } from './test-keys.ts';

export interface FulcioSignerPlan extends FulcioPlan {
  /** One timestamp of the log `ctfe` unless told. */
  readonly scts?: readonly SctPlan[];
  readonly chain?: ChainOptions;
}

/** Ten minutes, as Fulcio's are; at the tests' fixed clock. */
const validity = { notBefore: '2030-01-01T00:00:00Z', notAfter: '2030-01-01T00:10:00Z' };

/** A signer with a certificate as Fulcio issues them, and its chain to the root of that authority. */
export function makeFulcioSigner(plan: FulcioSignerPlan = {}): Chain {
  const { scts = [{}], chain = {}, ...identity } = plan;
  const options = (extensions: ReturnType<typeof fulcioExtensions>): ChainOptions => ({
    ...chain,
    leaf: { ...validity, serial: Uint8Array.of(7, 7), ...chain.leaf, extensions },
  });
  const extensions = [...fulcioExtensions(identity), ...(chain.leaf?.extensions ?? [])];
  if (scts.length === 0) return makeChain(options(extensions));
  const bare = makeChain(options(extensions));
  const issuer = spkiOf(testKey('EC-256', `${chain.authority ?? 'acme'}/intermediate 0`));
  const list = scts.map((sct) => signSct(bare.leaf.der, issuer, sct));
  return makeChain(options([...extensions, sctExtension(list)]));
}
