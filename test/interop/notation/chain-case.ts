import type { NotationOverrides } from '../../support/sign-notation.ts';
import { type ChainOptions, makeChain } from '../../support/test-ca.ts';
import { type Case, type CaseOptions, formats, makeCase, signature } from './case.ts';

export type ChainRow = readonly [
  title: string,
  chain: ChainOptions,
  notation: Case['notation'],
  options?: CaseOptions & { readonly also?: NotationOverrides },
];

/** A signature by such a chain, whose root is trusted; the encodings take turns. */
export function chainCase(
  [title, chainOptions, notation, { also, ...options } = {}]: ChainRow,
  index: number,
): Case {
  const format = formats[index % 2] ?? 'jws';
  const chain = makeChain(chainOptions);
  const trustStore = {
    'ca/acme/root.pem': chain.root.pem,
    'signingAuthority/acme/root.pem': chain.root.pem,
  };
  return makeCase(
    `a ${format} signature ${title}`,
    [signature(format, { ...also, chain })],
    notation,
    {
      trustStore,
      ...options,
    },
  );
}
