// Builds the package of the Rust SDK with a copy of the contract: cargo packages no file from outside the crate's folder.
//
//   node .ci/package-rust.mjs package      packages it as Cargo would publish it, and checks that the result compiles
//   node .ci/package-rust.mjs publish ...  publishes it, with these arguments for Cargo

import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';

const crate = join(root, 'sdk/rust');
const copy = join(crate, 'proto');
const target = join(crate, 'target');
const [command = 'package', ...options] = process.argv.slice(2);

const run = (program, args, cwd) => spawnSync(program, args, { cwd, stdio: 'inherit' }).status ?? 1;

/**
 * Compiles the package by itself, with only the features that its users get. Cargo would generate code too, for nothing:
 * a check uses what clippy has checked.
 */
function check() {
  const { version } = JSON.parse(spawnSync('cargo', ['read-manifest'], { cwd: crate, encoding: 'utf8' }).stdout);
  const [packages, name] = [join(target, 'package'), `muster-jobs-${version}`];
  rmSync(join(packages, name), { recursive: true, force: true });
  const args = ['check', '--locked', '--target-dir', target];
  return run('tar', ['-xzf', `${name}.crate`], packages) || run('cargo', args, join(packages, name));
}

try {
  cpSync(join(root, 'proto'), copy, { recursive: true });
  const packages = command === 'package';
  const args = [command, '--package', 'muster-jobs', '--allow-dirty', ...(packages ? ['--no-verify'] : []), ...options];
  process.exitCode = run('cargo', args, crate) || (packages ? check() : 0);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
