// Fails when the committed generated code is not what the contract generates now.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { generate, generatedFolders } from './generate.mjs';
import { root, tools } from './setup/paths.mjs';

const fresh = mkdtempSync(join(tools, 'generated-'));
try {
  generate(fresh);
  if (!generatedFolders.map(isSame).every(Boolean)) {
    console.error('The generated code differs from the contract. Run: npm run generate');
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Prints how the committed folder differs from the fresh one. */
function isSame(folder) {
  mkdirSync(join(root, folder), { recursive: true });
  const args = ['-r', '-q', '-x', '__pycache__', join(root, folder), join(fresh, folder)];
  return spawnSync('diff', args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
