import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { AllowedPlugin } from '../../src/plugins/run-command.ts';

/** The name that every test's plugin goes by. */
export const pluginName = 'com.example.plugin';

/** A sound get-plugin-metadata answer, but for what is replaced. */
export function metadataOf(replaced: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    name: pluginName,
    description: 'for tests',
    version: '1.2.0',
    url: 'https://example.com/',
    supportedContractVersions: ['1.0'],
    capabilities: ['SIGNATURE_VERIFIER.TRUSTED_IDENTITY', 'SIGNATURE_VERIFIER.REVOCATION_CHECK'],
    ...replaced,
  });
}

/** A verify-signature answer: yes to both, unless told. */
export function answerOf(replaced: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    verificationResults: {
      'SIGNATURE_VERIFIER.TRUSTED_IDENTITY': { success: true },
      'SIGNATURE_VERIFIER.REVOCATION_CHECK': { success: true },
    },
    processedAttributes: [],
    ...replaced,
  });
}

export interface WrittenPlugin extends AllowedPlugin {
  /** The requests of verify-signature so far, each read from standard input. */
  questions(): readonly unknown[];
}

/** A real executable file: a shell script that does `verify` when it is asked about a signature. */
export function writePlugin(
  t: Test,
  script: { readonly metadata?: string; readonly verify?: string } = {},
  replaced: Partial<AllowedPlugin> = {},
): WrittenPlugin {
  const { metadata = metadataOf(), verify = `echo '${answerOf()}'` } = script;
  const folder = mkdtempSync(join(tmpdir(), 'assay-plugin-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'plugin');
  const questions = join(folder, 'questions');
  const text = [
    '#!/bin/sh',
    'if [ "$1" = get-plugin-metadata ]; then',
    `  cat > ${join(folder, 'metadata-request')}`,
    `  echo '${metadata}'`,
    '  exit 0',
    'fi',
    '[ "$1" = verify-signature ] || exit 64',
    `{ cat; echo; } >> ${questions}`,
    verify,
    '',
  ].join('\n');
  writeFileSync(path, text);
  writeFileSync(questions, '');
  chmodSync(path, 0o755);
  return {
    name: pluginName,
    path,
    sha256: createHash('sha256').update(text).digest('hex'),
    timeoutMs: 10_000,
    ...replaced,
    questions: () =>
      readFileSync(questions, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
  };
}
