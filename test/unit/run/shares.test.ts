/** Shares contain each file once, and take about the same time. Durations change only by more than noise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allFiles, filesOf, PYTHON, ruleOf } from '../../support/run/circles.ts';
import { secondsOf, updated } from '../../support/run/durations.ts';
import { divide, partialFiles, sharesOf } from '../../support/run/shares.ts';

const root = new URL('../../../', import.meta.url).pathname;

describe('shares', () => {
  it('contain each file once, and differ by one file at most', () => {
    const file = fc.stringMatching(/^[a-z]{1,4}\.test\.ts$/);
    const known = fc.dictionary(file, fc.double({ min: 0.1, max: 1_000, noNaN: true }), { minKeys: 1 });
    fc.assert(
      fc.property(known, fc.integer({ min: 1, max: 9 }), fc.array(file), (durations, count, unknown) => {
        const files = [...new Set([...Object.keys(durations), ...unknown])];
        const shares = divide(files, durations, count);
        expect(shares.flatMap((share) => share.files).sort()).toEqual(files.sort());
        const longest = Math.max(...files.map((file) => secondsOf(durations, file)));
        const seconds = shares.map((share) => share.seconds);
        expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThanOrEqual(longest + 1);
        expect(Math.max(...seconds)).toBeGreaterThanOrEqual(Math.floor(longest));
      }),
    );
  });

  it('contain all that the core leaves out: other files, and files of which it has some cases only', () => {
    const shared = sharesOf(root).flatMap(({ files }) => files);
    expect(new Set(shared)).toEqual(new Set([...filesOf(root, 'share'), ...partialFiles(root)]));
    expect(shared).toContain('test/integration/store/postgres-16.test.ts');
    expect(shared).toContain('test/simulation/simulation.test.ts'); // 15 of its seeds are in the core
    expect(shared).not.toContain('test/unit/run/shares.test.ts');
  });
});

describe('the circle of a file', () => {
  it('is decided by the first rule', () => {
    expect(ruleOf('test/integration/store/lock-order.test.ts')?.circle).toBe('share');
    expect(ruleOf('test/integration/store/postgres-18.test.ts')?.circle).toBe('core');
    expect(ruleOf('test/chaos/crash.test.ts')?.circle).toBe('core');
    expect(ruleOf('test/chaos/batches.test.ts')?.circle).toBe('share');
    expect(ruleOf('test/integration/traces/any.test.ts')?.circle).toBe('long');
    expect(ruleOf(PYTHON)?.circle).toBe('core');
    expect(ruleOf('test/new-folder/any.test.ts')).toBeUndefined();
  });

  it('is known for each file of this checkout', () => {
    expect(allFiles(root).filter((file) => !ruleOf(file))).toEqual([]);
  });
});

describe('known durations', () => {
  it('change if a file takes much longer or shorter, and forget files that are gone', () => {
    const known = { 'a.test.ts': 100, 'b.test.ts': 100, 'gone.test.ts': 5, 'unmeasured.test.ts': 7 };
    const measured = { 'a.test.ts': 120, 'b.test.ts': 60.04, 'new.test.ts': 3 };
    const files = ['a.test.ts', 'b.test.ts', 'new.test.ts', 'never.test.ts', 'unmeasured.test.ts'];
    expect(updated(known, measured, files)).toEqual({
      'a.test.ts': 100,
      'b.test.ts': 60,
      'new.test.ts': 3,
      'unmeasured.test.ts': 7,
    });
  });
});
