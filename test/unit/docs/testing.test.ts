/** docs/testing.md names each level of tests, and the runner writes the log and the summary that it promises. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { leftOutText } from '../../support/run/left-out.ts';
import { type Entry, logText, type Run, summaryText } from '../../support/run/test-report.ts';

const docs = new URL('../../../docs/', import.meta.url);
const guide = readFileSync(new URL('testing.md', docs), 'utf8');

describe('docs/testing.md', () => {
  it('describes each folder of tests', () => {
    const folders = readdirSync(new URL('../test/', docs)).filter((folder) => folder !== 'support');
    expect(folders.filter((folder) => !guide.includes(`\n| \`test/${folder}\``))).toEqual([]);
  });
});

describe('the report of a run', () => {
  const run: Run = {
    began: new Date(0),
    ended: new Date(60_000),
    environment: 'abc1234, Linux, 2 cores',
    procedure: 'vitest run',
    faults: [],
    complete: true,
  };
  const entry = (state: Entry['state'], name: string, said = ''): Entry => ({
    file: 'test/unit/some.test.ts',
    name,
    state,
    ms: 12.3,
    said,
  });
  const good = [entry('passed', 'a | b'), entry('skipped', 'needs more')];

  it('lists each case in the log', () => {
    expect(logText(run, good)).toContain('| passed | 12 | test/unit/some.test.ts | a \\| b |');
  });

  it('passes when no case failed, and names the skipped cases', () => {
    const text = summaryText(run, good);
    expect(text).toContain('| unit | 1 | 0 | 1 |');
    expect(text).toContain('- test/unit/some.test.ts: needs more');
    expect(text).toContain('\nPassed.');
  });

  it.each([
    ['a case has failed', { ...run }, [...good, entry('failed', 'c', 'one\nand two')], 'c: one and two'],
    ['a file can not be loaded', { ...run, faults: ['x.test.ts: no such module'] }, good, 'no such module'],
    ['nothing ran', { ...run }, [], 'None.'],
    ['it was interrupted', { ...run, complete: false }, good, 'the run was broken off'],
  ])('fails when %s', (_why, one, entries, says) => {
    expect(summaryText(one, entries)).toContain('\nFailed');
    expect(summaryText(one, entries)).toContain(says);
  });
});

describe('the list of left-out tests', () => {
  it('has a line per missing toolchain with the tests left out because of it', () => {
    const one = { name: 'the worker in Go', lacks: ['no Go'] };
    const other = { name: 'a trace', lacks: ['no Jaeger', 'no Go'] };
    expect(leftOutText([one, one, other])).toBe(
      'left out: the worker in Go, a trace; why: no Go\nleft out: a trace; why: no Jaeger\n',
    );
  });

  it('is empty when no toolchain is missing', () => {
    expect(leftOutText([])).toBe('');
  });
});
