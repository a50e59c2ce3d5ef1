// Prints "PASSED FAILED": the tests of a JUnit report, given the exit code of the runner that wrote it.
//
//   node .ci/count-tests.mjs report.xml exit-code
//
// A runner that failed, ran nothing or wrote no report counts as one failure at least.

import { existsSync, readFileSync } from 'node:fs';

const [file, exitCode] = process.argv.slice(2);
const report = existsSync(file) ? readFileSync(file, 'utf8') : '';
const suites = report.match(/<testsuite\s[^>]*>/g) ?? [];

const tests = total('tests');
const failed = total('failures') + total('errors');
const passed = tests - failed - total('skipped');
const runnerFailed = exitCode !== '0' || tests === 0;
console.log(`${passed} ${runnerFailed ? Math.max(failed, 1) : failed}`);

/** The sum of an attribute over all suites of the report. */
function total(attribute) {
  const pattern = new RegExp(`\\s${attribute}="(\\d+)"`);
  return suites.reduce((sum, suite) => sum + Number(pattern.exec(suite)?.[1] ?? 0), 0);
}
