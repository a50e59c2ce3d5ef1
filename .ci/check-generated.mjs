// Fails when the committed generated code differs from freshly generated code. Without Go or Rust on the machine the code for
// it is skipped, except with CI=true, where that is a failure. The code for Rust is not generated while its stamp is right.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  generate,
  generatedFolders,
  goFolder,
  hasGo,
  hasRust,
  isRustCurrent,
  rustFolder,
  rustStamp,
} from './generate.mjs';
import { root, tools } from './setup/paths.mjs';

const fresh = mkdtempSync(join(tools, 'generated-'));
try {
  generate(fresh);
  if (![...generatedFolders, ...goFolders(), ...rustFolders()].map(isSame).every(Boolean)) {
    console.error('The generated code differs from the contract. Run: npm run generate');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** The folder for Go, unless it must be skipped. */
function goFolders() {
  return hasGo() ? [goFolder] : skip(goFolder, 'go', 'Go 1.25 or newer: https://go.dev/dl');
}

/** The folder for Rust and its stamp, unless they are right or must be skipped. */
function rustFolders() {
  if (isRustCurrent()) return [];
  return hasRust() ? [rustFolder, rustStamp] : skip(rustFolder, 'cargo', 'Rust 1.89 or newer: https://rustup.rs');
}

function skip(folder, program, needed) {
  console.error(`SKIPPED  ${folder}: there is no ${program} on the PATH`);
  if (process.env.CI === 'true') {
    console.error(`With CI=true that is a failure. Install ${needed}`);
    process.exitCode = 1;
  }
  return [];
}

/** Compares the committed folder or file with the fresh one, and prints the differences. */
function isSame(path) {
  if (!existsSync(join(root, path))) {
    console.error(`There is no ${path}`);
    return false;
  }
  const args = ['-r', '-q', '-x', '__pycache__', join(root, path), join(fresh, path)];
  return spawnSync('diff', args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
