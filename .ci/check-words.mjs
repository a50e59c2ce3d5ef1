// Fails when a text or name has more of the words that words.json refuses than words-left.json allows its file.
//
//   node .ci/check-words.mjs            checks
//   node .ci/check-words.mjs --list     lists all hits in the given files and folders, or in all files
//   node .ci/check-words.mjs --update   writes words-left.json, unless the total of a scope would grow
//
// Left out: generated code, quoted code, SQL, decisions, the changelog, the ledger. After adding words to words.json, remove
// words-left.json and update.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';
import { countsOf, differences, grown, totals, written } from './words/left.ts';
import { endings } from './words/pieces.ts';
import { finder } from './words/refusals.ts';

const words = join(root, '.ci/words.json');
const left = join(root, '.ci/words-left.json');
const leftOut = /\/gen\/|^sdk\/python\/src\/muster\/v1\/|^docs\/(decisions|reference)\/|^CHANGELOG|^\.ci\/ledger\//;

const [option, ...named] = process.argv.slice(2);
const hits = allHits();
if (option === '--list') list(named);
else if (option === '--update') update();
else if (option === undefined) check();
else throw new Error(`no option ${option}`);

function allHits() {
  const find = finder(JSON.parse(readFileSync(words, 'utf8')));
  const patterns = endings.map((ending) => `*.${ending}`);
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = listed.split('\n').filter((file) => file && !leftOut.test(file) && existsSync(join(root, file)));
  return new Map(files.map((file) => [file, find(file, readFileSync(join(root, file), 'utf8'))]));
}

function counted() {
  return Object.fromEntries([...hits].map(([file, found]) => [file, countsOf(found)]));
}

function before() {
  return existsSync(left) ? JSON.parse(readFileSync(left, 'utf8')) : {};
}

function check() {
  const found = differences(before(), counted());
  const worse = found.filter(({ was, is }) => is > was);
  for (const { file, scope, was, is } of worse) {
    console.error(`${file}: ${is} refused words in scope ${scope}, ${was} allowed by .ci/words-left.json`);
    print(file, (hit) => hit.scope === scope);
  }
  const better = found.length - worse.length;
  if (better > 0) console.error(`${better} numbers in .ci/words-left.json are too high: npm run words -- --update`);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`refused words left: ${JSON.stringify(totals(before()))}`);
}

function list(paths) {
  for (const file of hits.keys()) if (paths.length === 0 || paths.some((path) => file.startsWith(path))) print(file);
}

function print(file, isWanted = () => true) {
  for (const { line, scope, word, instead } of (hits.get(file) ?? []).filter(isWanted))
    console.error(`${file}:${line}: ${scope}: "${word}", say: ${instead}`);
}

function update() {
  const now = counted();
  const more = existsSync(left) ? grown(before(), now) : [];
  if (more.length > 0) {
    console.error(`there are more refused words than before in scope ${more.join(', ')}; the check lists them`);
    process.exitCode = 1;
  } else writeFileSync(left, written(now));
}
