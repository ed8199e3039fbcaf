import { EnvelopeError } from '../../crypto/envelope-error.ts';
import { isSameBytes } from '../../crypto/same-bytes.ts';
import { findTimestampSigner } from '../../crypto/timestamp-signer.ts';
import { isTimestampOf, readTimestampResponse } from '../../crypto/timestamp-token.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import {
  type CertificateAuthority,
  goesBy,
  isWithin,
  type SigstoreRoot,
} from '../../trust/sigstore/sigstore-root.ts';
import { trustTimestampAuthority } from '../../trust/timestamp-authority.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import type { SigstoreEnvelope } from './sigstore-envelope.ts';
import { countOperators, type Witness } from './witness.ts';

export interface TimestampsFound {
  readonly finding: Finding;
  readonly witnesses: readonly Witness[];
}

/**
 * Counts timestamps (RFC 3161) by authorities of the root over what they must be over. One that does
 * not verify, or is by an authority that is not known, counts nothing and harms nothing: the
 * threshold counts those that do, by their distinct operators.
 */
export function checkTimestamps(
  envelope: SigstoreEnvelope,
  root: SigstoreRoot | undefined,
  minTimestamps: number,
): TimestampsFound {
  const { timestamps } = envelope;
  const twin = timestamps.findIndex((one, index) =>
    timestamps.slice(0, index).some((other) => isSameBytes(one, other)),
  );
  if (twin >= 0) {
    return none(fail('signature-invalid', `timestamp ${twin + 1} is there twice`));
  }
  if (root === undefined) return none(pass({ timestamps: 'none asked for' }));
  const judgements = judgeAll(root)(envelope);
  const witnesses = judgements.flatMap((each) => ('witness' in each ? [each.witness] : []));
  const problems = judgements.flatMap((each) => ('because' in each ? [each.because] : []));
  const count = countOperators(witnesses);
  if (count < minTimestamps) {
    const because = `${count} of ${minTimestamps} authorities that must have seen it did`;
    return none(fail('timestamp-unproven', [because, ...problems].join('; ')));
  }
  const seen = witnesses.map(({ name, time }) => `${name} at ${time?.latest.toISOString() ?? ''}`);
  const evidence = {
    timestamps: seen.length === 0 ? 'none' : seen.join(', '),
    ...(problems.length > 0 && { 'do not count': problems.slice(0, maxToldProblems).join('; ') }),
  };
  return { finding: pass(evidence), witnesses };
}

const maxToldProblems = 4;

type Judgement = { readonly witness: Witness } | { readonly because: string };

/** Once for each envelope under one root, however many identities it is held against. */
const judgeAll = oncePer((root: SigstoreRoot) =>
  oncePer(({ timestamps, timestamped }: SigstoreEnvelope): readonly Judgement[] =>
    timestamps.map((timestamp) => judge(timestamp, timestamped, root)),
  ),
);

function judge(untrusted: Uint8Array, timestamped: Uint8Array, root: SigstoreRoot): Judgement {
  try {
    const token = readTimestampResponse(untrusted);
    if (!isTimestampOf(token, timestamped)) return { because: 'a timestamp is over other bytes' };
    const { timestampAuthorities } = root;
    const problems = new Set<string>();
    for (const authority of timestampAuthorities) {
      const result = judgeBy(authority, token);
      if ('witness' in result) return result;
      problems.add(result.because);
    }
    if (problems.size === 0) problems.add('the trusted root has no timestamp authority');
    return { because: [...problems].slice(0, maxToldProblems).join(', ') };
  } catch (error) {
    if (error instanceof EnvelopeError) return { because: error.message };
    throw error;
  }
}

function judgeBy(
  authority: CertificateAuthority,
  token: ReturnType<typeof readTimestampResponse>,
): Judgement {
  const { chain, uri, operator, validFor } = authority;
  const found = findTimestampSigner(token, chain);
  if (found.kind === 'none') return { because: found.because };
  const [own] = chain;
  // A root that names the authority's own certificate trusts that one, not all of its issuer's.
  const isNamed =
    own.basicConstraints?.isCa === true || own.fingerprint === found.certificate.fingerprint;
  if (!isNamed) return { because: notByTheOneNamed };
  const { genTime } = token.info;
  if (!isWithin(validFor, genTime)) {
    return { because: `${quoted(uri)} is not trusted at ${genTime.toISOString()}` };
  }
  const anchor = chain.at(-1) ?? own;
  const answer = trustTimestampAuthority({
    token,
    signer: found.certificate,
    roots: [{ certificate: anchor }],
    known: chain.slice(0, -1),
  });
  if (answer.kind === 'untrusted') return { because: answer.because };
  if (!goesBy(authority, answer.chain)) return { because: notByTheOneNamed };
  const name = quoted(uri === '' ? found.certificate.subject.text : uri, 200);
  return { witness: { name, operator, instant: genTime, time: answer.time } };
}

const notByTheOneNamed = 'the signer of a timestamp is not the one that the root names, nor by it';

function none(finding: Finding): TimestampsFound {
  return { finding, witnesses: [] };
}
