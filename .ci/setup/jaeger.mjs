// Jaeger, the tracing backend for the tests of traces: the one on the PATH, or one built from its module. The build leaves
// out what these tests do not use, such as the clients of databases: all of it takes four times as long. The folder
// jaeger/ has the three packages that this takes.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, readStamp, root, tools, toolsBin, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

// The module has the numbers of Jaeger 1; its cmd/jaeger is Jaeger 2.
const VERSION = '1.76.0';
const GO_MODULE = 'github.com/jaegertracing/jaeger';
// The module needs it.
const OLDEST_GO = [1, 24];
const DOWNLOAD_SECONDS = 900;
const BUILD_SECONDS = 3_600;
const ours = join(toolsBin, 'jaeger');
const ourPackages = join(root, '.ci', 'setup', 'jaeger');

export const jaeger = {
  isReady() {
    if (readStamp('jaeger') === VERSION && findOnPath('jaeger', toolsBin) !== undefined) return true;
    return runs(findOnPath('jaeger'));
  },

  async bring() {
    mkdirSync(toolsBin, { recursive: true });
    const go = findOnPath('go') ?? findOnPath('go', '/usr/local/go/bin');
    if (!isRecentGo(go)) throw new Error(explain('there is no Go of that version on the PATH'));
    say('jaeger is missing: building it from its module, which takes a minute or two');
    try {
      await build(go);
    } catch (error) {
      throw new Error(explain(error.message));
    }
  },
};

/** Works in a temporary folder, which also holds the downloads of 600 MB: nothing of them stays. */
async function build(go) {
  const folder = mkdtempSync(join(tools, 'jaeger-'));
  const env = {
    CGO_ENABLED: '0',
    GOMODCACHE: join(folder, 'modules'),
    GOCACHE: join(folder, 'cache'),
    GOFLAGS: '-modcacherw',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  };
  try {
    const download = ['mod', 'download', '-json', `${GO_MODULE}@v${VERSION}`];
    const { Dir } = JSON.parse(await run(go, download, { seconds: DOWNLOAD_SECONDS, cwd: folder, env }));
    // Go builds no changed files within its module cache.
    const source = join(folder, 'source');
    renameSync(Dir, source);
    replacePackages(source);
    const built = join(folder, 'jaeger');
    // Without optimization the build takes two thirds of the time, and tests need no fast backend.
    const flags = ['-buildvcs=false', '-trimpath', '-gcflags=all=-N -l', '-ldflags=-s -w', '-o', built];
    await run(go, ['build', ...flags, './cmd/jaeger'], { seconds: BUILD_SECONDS, cwd: source, env });
    if (!runs(built)) throw new Error('what was built does not run');
    renameSync(built, ours);
    writeStamp('jaeger', VERSION);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts our packages in the place of Jaeger's. Where they no longer fit, this or the compiler fails. */
function replacePackages(source) {
  const isGo = (file) => file.endsWith('.go');
  for (const file of readdirSync(ourPackages, { recursive: true }).filter(isGo)) {
    const folder = join(source, dirname(file));
    const theirs = readdirSync(folder).filter(isGo);
    if (theirs.length === 0) throw new Error(`Jaeger ${VERSION} has no package for ${file}`);
    for (const name of theirs) rmSync(join(folder, name));
  }
  cpSync(ourPackages, source, { recursive: true });
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
