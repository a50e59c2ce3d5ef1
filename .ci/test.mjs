// Runs the tests: with arguments those that vitest finds with them, without any all of them, the Python SDK's included.
// Without the tracing backend those that ask it are left out, and it says so.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runForwarding } from './setup/command.mjs';
import { jaeger } from './setup/jaeger.mjs';
import { root } from './setup/paths.mjs';
import { say } from './setup/say.mjs';

const args = process.argv.slice(2);
const withoutTraces = jaeger.isReady() ? [] : ['--exclude', 'test/integration/traces/**'];
if (withoutTraces.length > 0)
  say('the tests of traces are left out: npm run test:traces brings their backend and runs them');
const suites = [['vitest', 'run', ...withoutTraces, ...args]];
if (args.length === 0 && existsSync(join(root, 'sdk', 'python', 'tests'))) {
  suites.push(['python', '-m', 'pytest', '--quiet', '-p', 'no:cacheprovider', 'sdk/python/tests']);
}

for (const suite of suites) {
  const { code, signal } = await runForwarding(suite);
  if (code !== 0) process.exitCode = 1;
  if (signal !== null) break; // told to stop: the rest is not wanted either
}
