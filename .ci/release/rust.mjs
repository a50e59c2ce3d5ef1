// The crate, as Cargo packages it.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { names } from '../names.mjs';
import { root } from '../setup/paths.mjs';

const manifest = join(root, 'sdk/rust/Cargo.toml');
const args = ['--manifest-path', manifest, '--package', names.crate, '--no-verify', '--allow-dirty'];

/** Packages it; a first job compiles it. The release script refuses a checkout with changes. @returns its path. */
export function packRust(version, destination) {
  execFileSync('cargo', ['package', ...args, '--quiet'], { stdio: 'inherit' });
  const name = `${names.crate}-${version}.crate`;
  mkdirSync(destination, { recursive: true });
  copyFileSync(join(root, 'sdk/rust/target/package', name), join(destination, name));
  return join(destination, name);
}

/** Cargo takes the token from CARGO_REGISTRY_TOKEN. */
export function publishRust() {
  execFileSync('cargo', ['publish', ...args], { stdio: 'inherit' });
}
