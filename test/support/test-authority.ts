import { type Chain, type ChainOptions, makeChain } from './test-ca.ts';

export const timeStamping = '1.3.6.1.5.5.7.3.8';

/** The chain of a timestamp authority (RFC 3161, 2.3) that keeps every rule but the overridden. */
export function makeAuthority(options: ChainOptions = {}): Chain {
  return makeChain({
    authority: 'clock',
    ...options,
    leaf: {
      subject: 'C=US, O=clock, CN=clock time stamping',
      extendedKeyUsage: { purposes: [timeStamping], critical: true },
      ...options.leaf,
    },
  });
}
