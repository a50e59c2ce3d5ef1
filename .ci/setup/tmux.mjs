// tmux, a real terminal for the tests of the command line: the one that is installed, or the first of two other ways.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, tools, toolsBin } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

const PACKAGE_SECONDS = 300;
const folder = join(tools, 'tmux');
const ours = join(toolsBin, 'tmux');
// What it needs of the system, beside the C library that every system has.
const PACKAGES = ['tmux', 'libevent-core-2.1-7', 'libevent-core-2.1-7t64', 'libtinfo6', 'libutempter0'];

/** Each way puts a program at `ours`, or an installed one on the PATH, or throws with the reason why it cannot. */
const WAYS = [
  ["Debian's packages, unpacked into .tools", unpackedPackages],
  ['the system package', systemPackage],
];

export const tmux = {
  isReady() {
    return findOnPath('tmux', toolsBin) !== undefined || findOnPath('tmux') !== undefined;
  },

  async bring() {
    const failures = [];
    for (const [name, way] of WAYS) {
      try {
        say(`tmux is missing: trying ${name}`);
        await way();
        return;
      } catch (error) {
        failures.push(`- ${name}: ${error.message}`);
      }
    }
    throw new Error(explain(failures));
  },
};

/** Needs no root: apt keeps its lists in a folder of ours, and nothing is installed. */
async function unpackedPackages() {
  for (const program of ['apt-get', 'dpkg-deb'])
    if (findOnPath(program) === undefined) throw new Error(`there is no ${program} here`);
  rmSync(folder, { recursive: true, force: true });
  const [apt, debs, root] = ['apt', 'debs', 'root'].map((name) => join(folder, name));
  for (const path of [join(apt, 'lists', 'partial'), join(apt, 'archives', 'partial'), debs, root])
    mkdirSync(path, { recursive: true });
  const options = [`Dir::State::Lists=${apt}/lists`, `Dir::Cache=${apt}`, 'APT::Sandbox::User='].flatMap((one) => [
    '-o',
    one,
  ]);
  await run('apt-get', [...options, 'update'], { seconds: PACKAGE_SECONDS });
  for (const name of PACKAGES) {
    // A release has a library under one of its names; what is missing for good shows when the program is tried.
    await run('apt-get', [...options, 'download', name], { seconds: PACKAGE_SECONDS, cwd: debs }).catch((error) => {
      if (name === 'tmux') throw error;
    });
  }
  for (const name of readdirSync(debs)) await run('dpkg-deb', ['-x', join(debs, name), root], { seconds: 60 });
  for (const path of [apt, debs]) rmSync(path, { recursive: true });
  putStarter();
}

/** The program with its own libraries; it is put into place only once it has run. */
function putStarter() {
  const lines = [
    '#!/bin/sh',
    'root="$(dirname "$(readlink -f "$0")")/../tmux/root"',
    'for folder in "$root"/usr/lib/*-linux-* "$root"/lib/*-linux-*; do libraries="$folder:$libraries"; done',
    'LD_LIBRARY_PATH="$libraries:$LD_LIBRARY_PATH" exec "$root/usr/bin/tmux" "$@"',
  ];
  mkdirSync(toolsBin, { recursive: true });
  const trial = `${ours}.trial`;
  writeFileSync(trial, `${lines.join('\n')}\n`, { mode: 0o755 });
  const { stdout, stderr, error } = spawnSync(trial, ['-V'], { encoding: 'utf8', timeout: 30_000 });
  if (!/^tmux /.test(stdout ?? '')) {
    rmSync(trial);
    throw new Error(`what it brought does not run: ${(error?.message ?? stderr).trim().slice(-500)}`);
  }
  renameSync(trial, ours);
}

async function systemPackage() {
  if (findOnPath('apt-get') === undefined) throw new Error('there is no apt-get here');
  if (process.getuid() !== 0) throw new Error('installing it needs root');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { seconds: PACKAGE_SECONDS, env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'tmux'], { seconds: PACKAGE_SECONDS, env });
}

function explain(failures) {
  return [
    'The tests of the command line need tmux, and none of the ways to get it worked:',
    '- on the PATH: there is no tmux',
    ...failures,
    'Put tmux on the PATH (brew install tmux, dnf install tmux) and try again.',
  ].join('\n');
}
