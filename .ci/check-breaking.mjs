// Fails when the contract breaks the one of the commit in .ci/baseline.
//
// accepted-breaks.json lists accepted breaks, with the exact message of buf and the reason.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, tools } from './setup/paths.mjs';

const CONTRACT = 'proto';

const base = readFileSync(new URL('baseline', import.meta.url), 'utf8').trim();
if (hasCommit(base)) process.exitCode = compareWith(base);
else {
  console.error(`buf breaking: this clone lacks the commit ${base} of .ci/baseline: git fetch --unshallow brings it`);
  process.exitCode = 1;
}

function hasCommit(commit) {
  return spawnSync('git', ['cat-file', '-e', `${commit}:${CONTRACT}`], { cwd: root }).status === 0;
}

/** Returns buf's exit code, or 0 if all breaks are accepted. The old version is unpacked, because no commit contains the npm package of its imports. */
function compareWith(commit) {
  console.log(`buf breaking: comparing with ${commit.slice(0, 12)}`);
  const folder = mkdtempSync(join(tools, 'breaking-'));
  try {
    const archive = execFileSync('git', ['archive', commit, CONTRACT, 'buf.yaml'], { cwd: root, maxBuffer: 2 ** 26 });
    execFileSync('tar', ['-xf', '-'], { cwd: folder, input: archive });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const args = ['breaking', '--against', folder, '--error-format', 'json'];
    const { status, stdout } = spawnSync('buf', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const found = stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return found.length > 0 ? judge(found) : (status ?? 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(found) {
  const accepted = JSON.parse(readFileSync(new URL('accepted-breaks.json', import.meta.url), 'utf8'));
  const messages = new Set(found.map(({ message }) => message));
  for (const { message, why } of accepted) if (messages.delete(message)) console.log(`accepted: ${message} (${why})`);
  const broken = found.filter(({ message }) => messages.has(message));
  for (const { path, start_line: line, message } of broken) console.error(`${path}:${line}: ${message}`);
  return broken.length > 0 ? 1 : 0;
}
