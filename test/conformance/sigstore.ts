// The client of the public sigstore-conformance suite: `npm run conformance:sigstore -- verify-bundle …`.
// Exits with 0 where the bundle verifies, 1 where it does not, 2 where it was asked for something else.
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/kernel/clock.ts';
import { messageOf } from '../../src/kernel/tagged-error.ts';
import { type BundleQuestion, verifyBundle } from './verify-bundle.ts';

const usage =
  'verify-bundle --bundle FILE (--key FILE | --certificate-identity ID --certificate-oidc-issuer URL) [--trusted-root FILE] FILE|sha256:HEX';

process.exitCode = await main(process.argv.slice(2));

async function main(given: readonly string[]): Promise<number> {
  let question: BundleQuestion;
  try {
    question = readQuestion(given);
  } catch (error) {
    console.error(`${messageOf(error)}\nusage: ${usage}`);
    return 2;
  }
  try {
    const { outcome, checks } = await verifyBundle(question, systemClock);
    for (const { id, outcome: each, because } of checks) {
      console.error(`${each} ${id}${because === undefined ? '' : `: ${because}`}`);
    }
    return outcome === 'trusted' ? 0 : 1;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

function readQuestion(given: readonly string[]): BundleQuestion {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      bundle: text,
      key: text,
      'certificate-identity': text,
      'certificate-oidc-issuer': text,
      'trusted-root': text,
    },
  });
  const [command, artifact, ...more] = positionals;
  if (command !== 'verify-bundle' || artifact === undefined || more.length > 0) {
    throw new TypeError('the one command is verify-bundle, of one artifact');
  }
  const { bundle, key, 'trusted-root': trustedRoot } = values;
  if (bundle === undefined) throw new TypeError('--bundle is missing');
  const common = {
    bundle,
    artifact,
    // npm runs its scripts in the project's folder, wherever it was called.
    folder: process.env['INIT_CWD'] ?? process.cwd(),
    ...(trustedRoot !== undefined && { trustedRoot }),
  };
  const certificateIdentity = values['certificate-identity'];
  const certificateOidcIssuer = values['certificate-oidc-issuer'];
  if (key !== undefined) {
    const isBoth = certificateIdentity !== undefined || certificateOidcIssuer !== undefined;
    if (isBoth) throw new TypeError('--key and a certificate are asked for');
    return { ...common, signer: { key } };
  }
  if (certificateIdentity === undefined || certificateOidcIssuer === undefined) {
    throw new TypeError('neither --key nor both of an identity and its issuer are given');
  }
  return { ...common, signer: { certificateIdentity, certificateOidcIssuer } };
}
