// Chromium for the browser tests: the installed one, or the first of two other ways that works.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { npm } from './node-modules.mjs';
import { findOnPath, readStamp, tools, toolsBin, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
// An npm package that holds a whole headless Chromium with the libraries it needs, made for machines that have none.
const PACKAGE = '@sparticuz/chromium';
const VERSION = '153.0.0';
const INSTALL_SECONDS = 600;
const folder = join(tools, 'chromium');
const ours = join(toolsBin, 'chromium');

/** Each way puts a program at `ours`, or an installed one on the PATH, or throws with the reason why it cannot. */
const WAYS = [
  [`the npm package ${PACKAGE}`, npmPackage],
  ['the system package', systemPackage],
];

export const chromium = {
  isReady() {
    if (readStamp('chromium') === VERSION && existsSync(ours)) return true;
    return NAMES.some((name) => findOnPath(name) !== undefined);
  },

  async bring() {
    const failures = [];
    for (const [name, way] of WAYS) {
      try {
        say(`Chromium is missing: trying ${name}`);
        await way();
        return;
      } catch (error) {
        failures.push(`- ${name}: ${error.message}`);
      }
    }
    throw new Error(explain(failures));
  },
};

async function npmPackage() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`it has none for ${process.platform} ${process.arch}`);
  rmSync(folder, { recursive: true, force: true });
  await npm(
    ['install', '--prefix', folder, '--no-save', '--no-package-lock', `${PACKAGE}@${VERSION}`],
    INSTALL_SECONDS,
  );
  const packed = join(folder, 'node_modules', PACKAGE, 'bin');
  const binary = join(folder, 'chromium');
  await unpack(join(packed, 'chromium.br'), createWriteStream(binary));
  chmodSync(binary, 0o755);
  for (const name of ['al2023', 'fonts']) await unpackTar(join(packed, `${name}.tar.br`));
  rmSync(join(folder, 'node_modules'), { recursive: true });
  writeStarter();
  const { stdout, stderr } = spawnSync(ours, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  if (!/^Chrom/.test(stdout)) throw new Error(`what it brought does not run: ${stderr.trim().slice(-500)}`);
  writeStamp('chromium', VERSION);
}

function unpack(packed, target) {
  return pipeline(createReadStream(packed), createBrotliDecompress(), target);
}

/** Into the folder. */
async function unpackTar(packed) {
  const tar = spawn('tar', ['-xf', '-', '-C', folder], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise((fulfil, reject) => tar.on('error', reject).on('close', fulfil));
  await unpack(packed, tar.stdin);
  const code = await ended;
  if (code !== 0) throw new Error(`tar of ${packed}: exit code ${code}`);
}

/** Gives it its own libraries and letters, for machines that have none. */
function writeStarter() {
  const fonts = '<fontconfig><dir prefix="relative">fonts</dir><dir>/usr/share/fonts</dir></fontconfig>';
  writeFileSync(join(folder, 'fonts.conf'), `<?xml version="1.0"?>\n${fonts}\n`);
  mkdirSync(toolsBin, { recursive: true });
  const lines = [
    '#!/bin/sh',
    'folder="$(dirname "$(readlink -f "$0")")/../chromium"',
    'export LD_LIBRARY_PATH="$folder/lib"',
    'export FONTCONFIG_FILE="$folder/fonts.conf"',
    'exec "$folder/chromium" "$@"',
  ];
  writeFileSync(ours, `${lines.join('\n')}\n`, { mode: 0o755 });
}

async function systemPackage() {
  if (findOnPath('apt-get') === undefined) throw new Error('there is no apt-get here');
  if (process.getuid() !== 0) throw new Error('installing it needs root');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { seconds: INSTALL_SECONDS, env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { seconds: INSTALL_SECONDS, env });
}

function explain(failures) {
  return [
    'The tests need Chromium, and none of the ways to get it worked:',
    `- on the PATH: there is no ${NAMES.join(', ')}`,
    ...failures,
    'Put one of these on the PATH and try again.',
  ].join('\n');
}
