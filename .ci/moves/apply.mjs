// Moves the files and declarations of map.json in a clean checkout; see README.md.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { moveDeclarations } from './declarations.mjs';
import { Moves, map } from './paths.mjs';
import { isSource } from './source.mjs';
import { checkout, root } from './tree.mjs';

const old = checkout();
const moves = new Moves(old.keys());
const texts = new Map();
for (const [path, text] of old) if (!moves.isReplaced(path)) texts.set(moves.to(path), moves.textOf(path, text));
moveDeclarations(texts, map.declarations);
write(texts);
sortImports();
report();

function write(texts) {
  for (const path of old.keys()) if (!texts.has(path)) remove(path);
  for (const [path, text] of texts) {
    if (old.get(path) === text) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, text.includes('\0') ? 'latin1' : 'utf8');
  }
}

/** Removes a file, and the folders that it leaves empty. */
function remove(path) {
  rmSync(join(root, path));
  for (let folder = dirname(path); readdirSync(join(root, folder)).length === 0; folder = dirname(folder))
    rmdirSync(join(root, folder));
}

function sortImports() {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const changed = [...texts].filter(([path, text]) => isSource(path) && old.get(path) !== text).map(([path]) => path);
  const args = ['check', '--write', '--log-level=error', '--no-errors-on-unmatched', ...changed];
  const { status } = spawnSync(process.execPath, [biome, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

function report() {
  const declarations = map.declarations.flatMap(({ names }) => names).length;
  console.log(
    `${moves.moved.size} files moved, ${moves.same.size} generated ones dropped, ${declarations} declarations moved.`,
  );
  for (const problem of moves.problems) console.log(problem);
  for (const path of moves.missing) console.log(`map.json moves ${path}, which is not there.`);
  for (const path of texts.keys())
    if (map.empty.some((folder) => path.startsWith(folder)))
      console.log(`${path} stays in a folder that is to go: give it a place in map.json.`);
  for (const [path, text] of old)
    for (const folder of new Set(moves.dividedIn(path, text)))
      console.log(
        `${moves.to(path)} names ${folder}, whose files went to several places: see that it says what it means.`,
      );
}
