import type { Examined } from '../compose/verification.ts';
import { exactly } from './arguments.ts';
import type { Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { exitCodeOf } from './render-verdict.ts';
import { type Paint, printable } from './terminal.ts';

/** A person waits: longer than a server would, and not for ever. */
const timeoutMs = 60_000;

/** What `verify` and `explain` share: they differ only in what they print. */
export async function examineReference(
  { operands, config: named, json, terminal }: Invocation,
  render: (examined: Examined, paint: Paint) => string,
): Promise<ExitCode> {
  const [text = ''] = exactly(operands, 'REF');
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { openVerification } = await import('../compose/verification.ts');
  const verification = await openVerification(await loadConfig(findConfig(named)));
  try {
    const examined = await verification.examine(text, AbortSignal.timeout(timeoutMs));
    if (examined === undefined) {
      const isWhole = /[:@][^/]*$/.test(text);
      const message = `${printable(isWhole ? text : `${text}:latest`)} does not exist upstream`;
      if (json)
        terminal.out(
          JSON.stringify({ error: { code: 'NOT_FOUND', messages: [message] } }, null, 2),
        );
      terminal.err(`assay: ${message}`);
      return exitCodes.untrusted;
    }
    terminal.out(json ? JSON.stringify(examined, null, 2) : render(examined, terminal.paint));
    return exitCodeOf(examined.verdict);
  } finally {
    await verification.close();
  }
}
