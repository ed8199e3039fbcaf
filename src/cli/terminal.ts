import { styleText } from 'node:util';

/** Where a command prints. Results go to `out`; complaints and hints go to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Puts a line in place of the one that it wrote before, or takes it away; only for a person. */
  rewrite(text: string): void;
  /** Colours what is printed to `out`, or leaves it as it is. */
  readonly paint: Paint;
  /** A person is watching `err`. */
  readonly interactive: boolean;
}

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

export const plainPaint: Paint = (_colour, text) => text;
export const colourPaint: Paint = (colour, text) =>
  styleText(colour, text, { validateStream: false });

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Colours only on a terminal that can show them, and never under NO_COLOR (no-color.org). */
export function makeTerminal(
  stdout: Stream,
  stderr: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const { NO_COLOR: noColour = '', TERM: term } = environment;
  const interactive = stderr.isTTY === true;
  const colourful = stdout.isTTY === true && noColour === '' && term !== 'dumb';
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    paint: colourful ? colourPaint : plainPaint,
    rewrite(text) {
      if (!interactive || term === 'dumb') return;
      // One that the terminal wraps could not be taken away.
      stderr.write(`\r\u001b[2K${text.slice(0, (stderr.columns ?? 80) - 1)}`);
    },
    interactive,
  };
}

/**
 * Text from certificates, manifests and upstreams made safe for a terminal: control, format and
 * unassigned characters (escape sequences, right-to-left overrides, line breaks) as escapes.
 */
export function printable(untrusted: string): string {
  return untrusted.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
