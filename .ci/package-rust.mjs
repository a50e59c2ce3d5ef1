// Builds the package of the Rust SDK with a copy of the contract: cargo packages no file from outside the crate's folder.
//
//   node .ci/package-rust.mjs package      packages it as Cargo would publish it, and builds the result once
//   node .ci/package-rust.mjs publish ...  publishes it, with these arguments for Cargo

import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/paths.mjs';

const crate = join(root, 'sdk/rust');
const copy = join(crate, 'proto');
const [command = 'package', ...options] = process.argv.slice(2);

try {
  cpSync(join(root, 'proto'), copy, { recursive: true });
  const args = [command, '--package', 'muster', '--allow-dirty', ...options];
  process.exitCode = spawnSync('cargo', args, { cwd: crate, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
