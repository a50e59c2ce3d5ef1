// Builds nats-server for a platform from its Go module, and collects the licences of what is in it.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../setup/nats-server.mjs';
import { tools } from '../setup/paths.mjs';
import { goEnvironment } from './go.mjs';
import { nameOf } from './platforms.mjs';

const MODULE = 'github.com/nats-io/nats-server/v2';

/**
 * Keeps what it has built.
 *
 * @returns the folder with `nats-server` and `licenses`.
 */
export function buildNatsServer(platform) {
  const built = join(tools, 'nats-servers', VERSION, nameOf(platform));
  if (existsSync(built)) return built;
  mkdirSync(join(built, '..'), { recursive: true });
  const work = mkdtempSync(join(built, '..', 'build-'));
  try {
    const env = { ...goEnvironment(), CGO_ENABLED: '0', GOOS: platform.goos, GOARCH: platform.goarch };
    const go = (...args) =>
      execFileSync('go', args, { cwd: work, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    go('mod', 'init', 'example.invalid/nats-server');
    go('get', `${MODULE}@v${VERSION}`);
    const result = join(work, 'result');
    go('build', '-trimpath', '-ldflags', '-s -w', '-o', join(result, 'nats-server'), MODULE);
    const modules = go('list', '-deps', '-f', '{{with .Module}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}', MODULE);
    copyLicenses(new Set(modules.trim().split('\n').filter(Boolean)), join(result, 'licenses'));
    renameSync(result, built);
    return built;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function copyLicenses(modules, folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, path] of [...modules].map((line) => line.split(' '))) {
    const file = readdirSync(path).find((candidate) => /^(LICEN[CS]E|COPYING)/i.test(candidate));
    if (file === undefined) throw new Error(`${name} has no licence`);
    copyFileSync(join(path, file), join(folder, `${name.replaceAll('/', '_')}.txt`));
  }
}
