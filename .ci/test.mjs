// Runs the tests: vitest's, and at the same time those of the Python SDK and those in virtual time.
//
//   npm test                        the core: some tests of every kind
//   npm test -- --all               everything; npm run test:all is the same
//   npm test -- WORD [OPTION...]    all tests of the files that vitest finds with these
//
// It ends with its ten slowest files, and with the tests that were left out because the machine lacks a toolchain.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runForwarding } from './setup/command.mjs';
import { root, tools } from './setup/paths.mjs';

const { MUSTER_REPORTS: reports } = process.env; // a folder for JUnit files: CI's
const args = process.argv.slice(2).filter((arg) => arg !== '--all');
const isCore = process.argv.length === 2;
const endings = ['slowest.txt', 'left-out.txt'].map((name) => join(root, 'test-results', name));
for (const file of endings) rmSync(file, { force: true }); // the reporter of vitest writes them

// Many tests start processes, and each one loads the same code: with this cache a replica starts in half the time. It is
// removed before each run, because some tests load copies of the code from folders of their own.
process.env.NODE_COMPILE_CACHE = join(tools, 'compile-cache');
rmSync(process.env.NODE_COMPILE_CACHE, { recursive: true, force: true });

process.env.MUSTER_TESTS = isCore ? 'core' : 'all';
if (isCore) process.env.MUSTER_MODEL_SEEDS ??= '20'; // of the model of dispatch that Python's tests run; 60 in all

const vitest = (name, ...variables) => [
  'env',
  ...variables,
  ...(reports ? [`MUSTER_JUNIT=${join(reports, name)}`] : []),
  'vitest',
  'run',
  ...args,
];
const suites = [];
if (args.length > 0) suites.push(vitest('vitest.xml'));
else {
  suites.push(vitest('vitest.xml', 'MUSTER_VIRTUAL_TIME=none'));
  // These compute and never wait, so they take what the others leave of the processors, and little more: without that,
  // calls within vitest could time out.
  suites.push(['nice', '-n', '10', ...vitest('simulation.xml', 'MUSTER_VIRTUAL_TIME=only'), 'test/simulation']);
  const junit = reports ? [`--junit-xml=${join(reports, 'pytest.xml')}`] : [];
  suites.push(['python', '-m', 'pytest', '--quiet', '-p', 'no:cacheprovider', ...junit, 'sdk/python/tests']);
}

for (const { code } of await Promise.all(suites.map(runForwarding))) if (code !== 0) process.exitCode = 1;
for (const file of endings) if (existsSync(file)) process.stderr.write(readFileSync(file, 'utf8'));
