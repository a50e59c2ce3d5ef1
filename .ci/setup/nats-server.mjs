// nats-server 2.10 or later: the one on the PATH, or the first of three other ways that works.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { downloadRelease } from './nats-release.mjs';
import { findOnPath, readStamp, tools, toolsBin, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

export const VERSION = '2.14.9';
const OLDEST = [2, 10];
const GO_MODULE = `github.com/nats-io/nats-server/v2@v${VERSION}`;
const BUILD_SECONDS = 900;
const PACKAGE_SECONDS = 120;
const ours = join(toolsBin, 'nats-server');

/** Each way puts a binary at the given path or throws with the reason why it cannot. */
const WAYS = [
  ['the official release', (path) => downloadRelease(VERSION, path)],
  ['go install', goInstall],
  ['the system package', systemPackage],
];

export const nats = {
  isReady() {
    if (readStamp('nats-server') === VERSION && findOnPath('nats-server', toolsBin) !== undefined) return true;
    return isRecent(findOnPath('nats-server'));
  },

  async bring() {
    mkdirSync(toolsBin, { recursive: true });
    const failures = [];
    for (const [name, way] of WAYS) {
      try {
        say(`nats-server is missing: trying ${name}`);
        await intoPlace(way);
        return;
      } catch (error) {
        failures.push(`- ${name}: ${error.message}`);
      }
    }
    throw new Error(explain(failures));
  },
};

/** Each way works in a temporary folder, so that only a binary that runs is ever moved into place. */
async function intoPlace(way) {
  const folder = mkdtempSync(join(tools, 'nats-server-'));
  try {
    const path = join(folder, 'nats-server');
    await way(path);
    if (!isRecent(path)) throw new Error(`what it brought is not nats-server ${OLDEST.join('.')} or later`);
    renameSync(path, ours);
    writeStamp('nats-server', VERSION);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isRecent(path) {
  if (path === undefined) return false;
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(stdout ?? '') ?? [];
  return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
}

async function goInstall(path) {
  const go = findOnPath('go') ?? findOnPath('go', '/usr/local/go/bin');
  if (go === undefined) throw new Error('there is no go on the PATH');
  await run(go, ['install', GO_MODULE], {
    seconds: BUILD_SECONDS,
    env: { GOBIN: join(path, '..'), CGO_ENABLED: '0', GOFLAGS: '' },
  });
}

/** Unpacks the distribution's package instead of installing it: needs no root, and starts no system service. */
async function systemPackage(path) {
  if (findOnPath('apt-get') === undefined) throw new Error('there is no apt-get here');
  const folder = join(path, '..');
  const download = () => run('apt-get', ['download', 'nats-server'], { seconds: PACKAGE_SECONDS, cwd: folder });
  await download().catch(async (error) => {
    if (process.getuid() !== 0) throw new Error(`${error.message}\n(as root, apt-get update may help)`);
    await run('apt-get', ['update'], { seconds: PACKAGE_SECONDS });
    await download();
  });
  await run('sh', ['-c', 'dpkg-deb -x ./*.deb unpacked'], { seconds: PACKAGE_SECONDS, cwd: folder });
  const binary = ['usr/bin', 'usr/sbin'].map((bin) => findOnPath('nats-server', join(folder, 'unpacked', bin)));
  const found = binary.find((candidate) => candidate !== undefined);
  if (found === undefined) throw new Error('the package holds no nats-server');
  renameSync(found, path);
}

function explain(failures) {
  return [
    `nats-server ${OLDEST.join('.')} or later is needed, and none of the ways to get it worked:`,
    '- on the PATH: there is none, or an older one',
    ...failures,
    'Put a nats-server on the PATH (https://github.com/nats-io/nats-server/releases), or install Go, and try again.',
  ].join('\n');
}
