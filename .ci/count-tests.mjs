// Prints "PASSED FAILED": the tests of JUnit reports, given the exit code of the run that wrote them.
//
//   node .ci/count-tests.mjs exit-code report.xml...
//
// A failed run counts as at least one failure, and so does a report that is missing or has no test.

import { existsSync, readFileSync } from 'node:fs';

const [exitCode, ...files] = process.argv.slice(2);
const reports = files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''));
const suites = reports.map((report) => report.match(/<testsuite\s[^>]*>/g) ?? []);

const tests = total('tests');
const failed = total('failures') + total('errors');
const passed = tests - failed - total('skipped');
const isWhole = exitCode === '0' && suites.every((of) => sum(of, 'tests') > 0);
console.log(`${passed} ${isWhole ? failed : Math.max(failed, 1)}`);

/** The sum of an attribute over all reports. */
function total(attribute) {
  return suites.reduce((all, of) => all + sum(of, attribute), 0);
}

/** The sum of an attribute over the suites of a report. */
function sum(of, attribute) {
  const pattern = new RegExp(`\\s${attribute}="(\\d+)"`);
  return of.reduce((all, suite) => all + Number(pattern.exec(suite)?.[1] ?? 0), 0);
}
