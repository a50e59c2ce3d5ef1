// Fails when the contract breaks the version of it that was committed before.
//
// That version is the one at HEAD while the contract has changes that are not committed, else the one before the last
// commit that touched it. So a fresh clone, which has no changes, still checks the last change.
//
// accepted-breaks.json lists accepted breaks, with the exact message of buf and the reason.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, tools } from './setup/paths.mjs';

const CONTRACT = 'proto';

const base = earlierVersion();
if (base === undefined) console.log('buf breaking: skipped, there is no earlier version of the contract');
else process.exitCode = compareWith(base);

function earlierVersion() {
  if (git('rev-parse', '--verify', '--quiet', 'HEAD') === undefined) return undefined;
  const isDirty = git('status', '--porcelain', '--', CONTRACT) !== '';
  const lastChange = git('log', '-1', '--format=%H', '--', CONTRACT);
  const commit = isDirty ? 'HEAD' : `${lastChange}^`;
  const isThere = git('rev-parse', '--verify', '--quiet', `${commit}:${CONTRACT}`) !== undefined;
  return isThere ? git('rev-parse', commit) : undefined;
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

/** The trimmed output of a git command, or undefined when it fails. */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
