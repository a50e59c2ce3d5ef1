// Runs the tests: with arguments those that vitest finds with them, without any all of them, the Python SDK's included.
// It ends with what was left out since the machine lacks a toolchain, and why.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runForwarding } from './setup/command.mjs';
import { root } from './setup/paths.mjs';

const args = process.argv.slice(2);
const suites = [['vitest', 'run', ...args]];
if (args.length === 0 && existsSync(join(root, 'sdk', 'python', 'tests'))) {
  suites.push(['python', '-m', 'pytest', '--quiet', '-p', 'no:cacheprovider', 'sdk/python/tests']);
}
const leftOut = join(root, 'test-results', 'left-out.txt'); // the reporter of vitest writes it
rmSync(leftOut, { force: true });

for (const suite of suites) {
  const { code, signal } = await runForwarding(suite);
  if (code !== 0) process.exitCode = 1;
  if (signal !== null) break; // told to stop: the rest is not wanted either
}
if (existsSync(leftOut)) process.stderr.write(readFileSync(leftOut, 'utf8'));
