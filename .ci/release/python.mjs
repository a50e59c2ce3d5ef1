// The Python SDK's wheel and source distribution, built by the pinned build backend.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, tools } from '../setup/paths.mjs';

/** @returns the paths, in the order of the targets: `wheel`, `sdist`. */
function build(destination, ...targets) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-python-'));
  try {
    return targets.map((target) => {
      const into = join(folder, target);
      const python = join(tools, 'venv', 'bin', 'python');
      const args = ['-m', 'hatchling', 'build', '--target', target, '--directory', into];
      execFileSync(python, args, { cwd: join(root, 'sdk/python'), stdio: 'pipe' });
      const [name] = readdirSync(into);
      mkdirSync(destination, { recursive: true });
      cpSync(join(into, name), join(destination, name));
      return join(destination, name);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const buildWheel = (destination) => build(destination, 'wheel')[0];
export const buildPython = (destination) => build(destination, 'wheel', 'sdist');
