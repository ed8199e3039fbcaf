import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmarkChart, benchmarkPage, type Machine } from './benchmark-page.ts';
import type { Figure } from './figure.ts';
import { findTool } from '../support/require-tool.ts';

// Runs every benchmark, or those that are named, one after the other. A run of all of them writes
// docs/benchmarks.md and its chart anew.

const all = [
  'manifests',
  'blobs',
  'verdicts',
  'cold-pulls',
  'fan-in',
  'start',
  'many',
  'big-sbom',
  'airgap',
] as const;
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.some((each) => each === name));
if (unknown.length > 0) {
  throw new Error(`no benchmark is called ${unknown.join()}: there are ${all.join()}`);
}

const docs = new URL('../../docs/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'));
const record = join(folder, 'figures.jsonl');
writeFileSync(record, '');
const failed: string[] = [];
try {
  for (const name of named.length > 0 ? named : all) {
    console.log(`\n== ${name}`);
    const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
    const env = { ...process.env, ASSAY_BENCH_RECORD: record };
    const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit', env });
    if (status !== 0) failed.push(name);
  }
  if (named.length === 0 && failed.length === 0) writePage(readFigures());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failed.length > 0) throw new Error(`failed: ${failed.join()}`);

function readFigures(): readonly Figure[] {
  const lines = readFileSync(record, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Figure);
}

function writePage(figures: readonly Figure[]): void {
  writeFileSync(new URL('benchmarks.md', docs), benchmarkPage(figures, describeMachine()));
  writeFileSync(new URL('benchmarks.svg', docs), benchmarkChart(figures));
}

function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'an unknown processor',
    cores: availableParallelism(),
    node: process.version,
    versions: {
      nginx: versionOf('nginx', ['-v']),
      distribution: versionOf('registry', ['--version']),
      ...(findTool('zot') && { zot: versionOf('zot', ['--version']) }),
      notation: versionOf('notation', ['version']),
      cosign: versionOf('cosign', ['version']),
    },
  };
}

function versionOf(tool: string, words: readonly string[]): string {
  const { stdout, stderr } = spawnSync(findTool(tool) ?? tool, words, { encoding: 'utf8' });
  // After a space: a time in a line of a log, which zot answers with, is no version.
  return /[ /]v?(\d+\.\d+[\w.+-]*)/.exec(` ${stdout} ${stderr}`)?.[1] ?? 'of an unknown version';
}
