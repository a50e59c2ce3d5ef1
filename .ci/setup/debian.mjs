// Programs from Debian's packages, unpacked into .tools: needs no root, and installs nothing on the system.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, tools, toolsBin } from './paths.mjs';
import { run } from './run.mjs';

const DOWNLOAD_SECONDS = 300;
const UNPACK_SECONDS = 120;

/**
 * Unpacks packages into `.tools/NAME/root`. Those of `optional` may be missing: a release has a library under one of its
 * names, and what is missing for good shows when the program is tried. Throws with the reason why it cannot.
 */
export async function unpackPackages(name, wanted, optional = []) {
  for (const program of ['apt-get', 'dpkg-deb'])
    if (findOnPath(program) === undefined) throw new Error(`there is no ${program} here`);
  const folder = join(tools, name);
  rmSync(folder, { recursive: true, force: true });
  const [apt, debs, root] = ['apt', 'debs', 'root'].map((one) => join(folder, one));
  for (const path of [join(apt, 'lists', 'partial'), join(apt, 'archives', 'partial'), debs, root])
    mkdirSync(path, { recursive: true });
  // Lists of our own: the system's may be old, and are not ours to change.
  const options = [`Dir::State::Lists=${apt}/lists`, `Dir::Cache=${apt}`, 'APT::Sandbox::User='].flatMap((one) => [
    '-o',
    one,
  ]);
  const apts = (...args) => run('apt-get', [...options, ...args], { seconds: DOWNLOAD_SECONDS, cwd: debs });
  await apts('update');
  for (const one of wanted) await apts('download', one);
  for (const one of optional) await apts('download', one).catch(() => {});
  for (const file of readdirSync(debs))
    await run('dpkg-deb', ['-x', join(debs, file), root], { seconds: UNPACK_SECONDS });
  for (const path of [apt, debs]) rmSync(path, { recursive: true });
}

/**
 * Puts a starter of an unpacked program into .tools/bin: it runs the program with its own libraries. It is put into place only
 * once it has run with `trial` and printed what `expected` matches. `place`: the folder of the program.
 */
export function putStarter(name, program, trial, expected, place = 'bin') {
  const lines = [
    '#!/bin/sh',
    `root="$(dirname "$(readlink -f "$0")")/../${name}/root"`,
    'for folder in "$root"/usr/lib/*-linux-* "$root"/lib/*-linux-*; do libraries="$folder:$libraries"; done',
    `LD_LIBRARY_PATH="$libraries:$LD_LIBRARY_PATH" exec "$root/usr/${place}/${program}" "$@"`,
  ];
  mkdirSync(toolsBin, { recursive: true });
  const path = join(toolsBin, `${program}.trial`);
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o755 });
  const { stdout, stderr, error } = spawnSync(path, [trial], { encoding: 'utf8', timeout: 30_000 });
  if (!expected.test(`${stdout ?? ''}${stderr ?? ''}`)) {
    rmSync(path);
    throw new Error(`what it brought does not run: ${(error?.message ?? stderr).trim().slice(-500)}`);
  }
  renameSync(path, join(toolsBin, program));
}

/** Installs a system package, where that is possible. */
export async function systemPackage(name) {
  if (findOnPath('apt-get') === undefined) throw new Error('there is no apt-get here');
  if (process.getuid() !== 0) throw new Error('installing it needs root');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { seconds: DOWNLOAD_SECONDS, env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', name], { seconds: DOWNLOAD_SECONDS, env });
}
