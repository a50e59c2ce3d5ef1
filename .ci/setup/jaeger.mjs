// Jaeger, the tracing backend for the tests of traces: the one on the PATH, or built from its module.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, readStamp, tools, toolsBin, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

// The module has the numbers of Jaeger 1; its cmd/jaeger is Jaeger 2.
const VERSION = '1.76.0';
const GO_PACKAGE = 'github.com/jaegertracing/jaeger/cmd/jaeger';
// Go 1.24 is the first that adds a program to a module with get -tool.
const OLDEST_GO = [1, 24];
const DOWNLOAD_SECONDS = 900;
const BUILD_SECONDS = 3_600;
const ours = join(toolsBin, 'jaeger');

export const jaeger = {
  isReady() {
    if (readStamp('jaeger') === VERSION && findOnPath('jaeger', toolsBin) !== undefined) return true;
    return runs(findOnPath('jaeger'));
  },

  async bring() {
    mkdirSync(toolsBin, { recursive: true });
    const go = findOnPath('go') ?? findOnPath('go', '/usr/local/go/bin');
    if (!isRecentGo(go)) throw new Error(explain('there is no Go of that version on the PATH'));
    say('jaeger is missing: building it from its module, which takes some minutes');
    try {
      await build(go);
    } catch (error) {
      throw new Error(explain(error.message));
    }
  },
};

/** Works in a temporary folder, which also holds the downloads of more than 1 GB: nothing of them stays. */
async function build(go) {
  const folder = mkdtempSync(join(tools, 'jaeger-'));
  const env = {
    CGO_ENABLED: '0',
    GOMODCACHE: join(folder, 'modules'),
    GOCACHE: join(folder, 'cache'),
    GOFLAGS: '-mod=mod -modcacherw',
    GOTOOLCHAIN: 'local',
  };
  try {
    const within = { cwd: folder, env };
    await run(go, ['mod', 'init', 'jaeger.local'], { seconds: 30, ...within });
    await run(go, ['get', '-tool', `${GO_PACKAGE}@v${VERSION}`], { seconds: DOWNLOAD_SECONDS, ...within });
    // Without optimization the build takes two thirds of the time, and tests need no fast backend.
    const flags = ['-trimpath', '-gcflags=all=-N -l', '-ldflags=-s -w', '-o', 'jaeger'];
    await run(go, ['build', ...flags, GO_PACKAGE], { seconds: BUILD_SECONDS, ...within });
    const built = join(folder, 'jaeger');
    if (!runs(built)) throw new Error('what was built does not run');
    renameSync(built, ours);
    writeStamp('jaeger', VERSION);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runs(path) {
  return path !== undefined && spawnSync(path, ['version'], { timeout: 20_000 }).status === 0;
}

function isRecentGo(path) {
  if (path === undefined) return false;
  const { stdout } = spawnSync(path, ['version'], { encoding: 'utf8', timeout: 10_000 });
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  return Number(major) > OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) >= OLDEST_GO[1]);
}

function explain(reason) {
  return [
    `jaeger is needed for the tests of traces, and could not be built: ${reason}`,
    `Put a jaeger 2 on the PATH (https://github.com/jaegertracing/jaeger/releases), or Go ${OLDEST_GO.join('.')} or later, and try again.`,
  ].join('\n');
}
