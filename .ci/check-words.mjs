// Fails when a text or name has a word that words.json refuses. Lists each with what to say instead.
//
//   node .ci/check-words.mjs [PATH...]   the given files and folders, or all files
//
// Left out: generated code, quoted code, SQL, decisions, the changelog.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';
import { endings } from './words/pieces.ts';
import { finder } from './words/refusals.ts';

const words = join(root, '.ci/words.json');
const leftOut = /\/gen\/|^sdk\/python\/src\/muster\/(worker\/)?v1\/|^docs\/(decisions|reference)\/|^CHANGELOG/;

const paths = process.argv.slice(2);
const find = finder(JSON.parse(readFileSync(words, 'utf8')));
const files = listed().filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)));
for (const file of files) {
  for (const { line, scope, word, instead } of find(file, readFileSync(join(root, file), 'utf8'))) {
    console.error(`${file}:${line}: ${scope}: "${word}", say: ${instead}`);
    process.exitCode = 1;
  }
}
if (process.exitCode === undefined) console.log(`${files.length} files have no refused word`);

function listed() {
  const patterns = endings.map((ending) => `*.${ending}`);
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n');
  return names.filter((file) => file && !leftOut.test(file) && existsSync(join(root, file)));
}
