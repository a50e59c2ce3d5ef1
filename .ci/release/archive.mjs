// Archives for machines without Node: Node itself, the command, its database and its bus. `./muster start` works at once.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { names } from '../names.mjs';
import { nameOf } from './platforms.mjs';

const LAUNCHER = `#!/bin/sh
# Starts Muster with the Node beside it.
here=$(dirname "$(readlink -f "$0" 2>/dev/null || echo "$0")")
MUSTER_COMMAND=\${MUSTER_COMMAND:-$0} exec "$here/lib/node" "$here/lib/node_modules/${names.npm}/server/cli/bin.mjs" "$@"
`;

/**
 * @param tarballs those of the command and of the platform's nats-server.
 * @returns the path of `muster-VERSION-PLATFORM.tar.gz`.
 */
export function packArchive({ platform, version, tarballs, destination }) {
  const work = mkdtempSync(join(tmpdir(), 'muster-archive-'));
  try {
    const name = `muster-${version}-${nameOf(platform)}`;
    const folder = join(work, name);
    const lib = join(folder, 'lib');
    mkdirSync(lib, { recursive: true });
    const { os, cpu } = platform;
    // By force: the packages are those of the archive's platform, not of this machine.
    const flags = [
      '--force',
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const npm = (...args) => execFileSync('npm', [...args, ...flags, `--os=${os}`, `--cpu=${cpu}`], { stdio: 'pipe' });
    npm('install', '--prefix', lib, ...tarballs);
    npm('install', '--prefix', join(work, 'node'), platform.node);
    const [nodePackage] = readdirSync(join(work, 'node/node_modules')).filter((entry) => /^node-/.test(entry));
    const source = join(work, 'node/node_modules', nodePackage);
    cpSync(join(source, 'bin/node'), join(lib, 'node'), { dereference: true });
    chmodSync(join(lib, 'node'), 0o755);
    for (const file of readdirSync(source).filter((entry) => /^LICENSE/.test(entry)))
      cpSync(join(source, file), join(lib, `${file}-node`));
    renameSync(join(lib, `node_modules/${names.npm}/LICENSE`), join(folder, 'LICENSE'));
    writeFileSync(join(folder, 'muster'), LAUNCHER, { mode: 0o755 });
    mkdirSync(destination, { recursive: true });
    const archive = join(destination, `${name}.tar.gz`);
    execFileSync('tar', ['-czf', archive, '-C', work, name]);
    return archive;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
