// Fails when the committed generated code differs from freshly generated code. Without Go on the machine the code for Go is
// skipped, except with CI=true, where that is a failure.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { generate, generatedFolders, goFolder, hasGo } from './generate.mjs';
import { root, tools } from './setup/paths.mjs';

const fresh = mkdtempSync(join(tools, 'generated-'));
try {
  generate(fresh);
  if (![...generatedFolders, ...goFolders()].map(isSame).every(Boolean)) {
    console.error('The generated code differs from the contract. Run: npm run generate');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** The folder for Go, unless it must be skipped. */
function goFolders() {
  if (hasGo()) return [goFolder];
  console.error(`SKIPPED  ${goFolder}: there is no go on the PATH`);
  if (process.env.CI === 'true') {
    console.error('With CI=true that is a failure. Install Go 1.25 or newer: https://go.dev/dl');
    process.exitCode = 1;
  }
  return [];
}

/** Compares the committed folder with the fresh one, and prints the differences. */
function isSame(folder) {
  mkdirSync(join(root, folder), { recursive: true });
  const args = ['-r', '-q', '-x', '__pycache__', join(root, folder), join(fresh, folder)];
  return spawnSync('diff', args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
