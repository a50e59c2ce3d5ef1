// Builds the package of the Rust SDK, with the contract in it: cargo takes no file from outside the crate's own folder.
//
//   node .ci/package-rust.mjs package      as Cargo would publish it, built once from the result
//   node .ci/package-rust.mjs publish ...  with these arguments of Cargo

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
