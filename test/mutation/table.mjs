// Writes what was counted (scores.json) as the table in README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf, groupNames } from './groups.mjs';

const begin = '<!-- begin of the table, written by run.mjs -->';
const end = '<!-- end of the table -->';

export function writeTable(here, root) {
  const scores = JSON.parse(readFileSync(join(here, 'scores.json'), 'utf8'));
  const path = join(here, 'README.md');
  const page = readFileSync(path, 'utf8');
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  writeFileSync(path, `${before}${begin}\n\n${tableOf(scores, root)}\n\n${end}${after}`);
}

function tableOf(scores, root) {
  const names = new Set(groupNames.flatMap((name) => filesOf(name, root).sources));
  const rows = [...names].flatMap((name) => (name in scores ? [rowOf(name, scores[name])] : []));
  const known = rows.filter(({ all }) => all > 0);
  const missing = [...names].filter((name) => !(name in scores));
  const lines = known.map(lineOf);
  const total = known.reduce(
    (sum, { noticed, all }) => ({ noticed: sum.noticed + noticed, all: sum.all + all }),
    { noticed: 0, all: 0 },
  );
  return [
    '| file | mutants | noticed | score |',
    '| --- | ---: | ---: | ---: |',
    ...lines,
    lineOf({ name: '**all of these**', ...total }),
    ...(missing.length === 0 ? [] : ['', `Not run yet: ${missing.join(', ')}.`]),
  ].join('\n');
}

/** A mutant that makes the tests hang was noticed; one that could not be made does not count. */
function rowOf(name, { Killed = 0, Timeout = 0, Survived = 0, NoCoverage = 0 }) {
  const noticed = Killed + Timeout;
  return { name: `\`${name}\``, noticed, all: noticed + Survived + NoCoverage };
}

function lineOf({ name, noticed, all }) {
  return `| ${name} | ${all} | ${noticed} | ${((100 * noticed) / all).toFixed(1)} |`;
}
