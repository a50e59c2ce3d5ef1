/** Checkouts whose `muster` a replica may run: this one, and other commits of this repository. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** This checkout. */
export const root = resolve(import.meta.dirname, '../../..');
const MUSTER = 'server/cli/muster.ts';
const MAX_ARCHIVE_BYTES = 2 ** 28;

/** The commit of this checkout, and whether it has changes; `unknown` outside of a clone. */
export function commitHere(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: root }).trim();
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** Why a commit can't be unpacked; undefined: it can. */
export function lackOfCommit(commit: string): string | undefined {
  const found = spawnSync('git', ['cat-file', '-e', `${commit}:${MUSTER}`], { cwd: root });
  return found.status === 0 ? undefined : `this clone lacks the commit ${commit}: git fetch --unshallow brings it`;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-checkout-'));
  process.once('exit', () => remove(folder));
  return folder;
}

/** The files of a commit in a temporary folder, with the packages of this checkout. The caller removes them; the end of the process does at the latest. */
export function unpack(commit: string): string {
  const lack = lackOfCommit(commit);
  if (lack) throw new Error(lack);
  const folder = makeFolder();
  const input = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: MAX_ARCHIVE_BYTES });
  execFileSync('tar', ['-xf', '-'], { cwd: folder, input });
  linkPackages(folder);
  return folder;
}

/** A later release: the server of a checkout, with more migrations by the names of their files. */
export function withMigrations(checkout: string, migrations: Readonly<Record<string, string>>): string {
  const folder = makeFolder();
  for (const part of ['server', 'sdk/typescript', 'workers/exec', 'package.json'])
    cpSync(join(checkout, part), join(folder, part), { recursive: true });
  linkPackages(folder);
  for (const [name, text] of Object.entries(migrations)) writeFileSync(join(folder, 'server/store/schema', name), text);
  return folder;
}

export function remove(checkout: string): void {
  rmSync(checkout, { recursive: true, force: true });
}

/** Its own SDK, and all others. */
function linkPackages(folder: string): void {
  const [from, to] = [join(root, 'node_modules'), join(folder, 'node_modules')];
  mkdirSync(join(to, '@muster-jobs'), { recursive: true });
  symlinkSync('../../sdk/typescript', join(to, '@muster-jobs/sdk'));
  for (const name of readdirSync(from)) if (name !== '@muster-jobs') symlinkSync(join(from, name), join(to, name));
}

/** @param name A folder with a checkout and its packages, or a commit. */
export function checkoutOf(name: string): string {
  const folder = resolve(name);
  return existsSync(join(folder, MUSTER)) ? folder : unpack(name);
}
