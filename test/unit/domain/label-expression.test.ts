/** Expressions over labels: where they are true, and which are refused. */
import { describe, expect, it } from 'vitest';
import { compileLabels } from '../../../server/domain/dispatch/label-expression.ts';

function isTrueOf(text: string, labels: Record<string, string>): boolean {
  const compiled = compileLabels(text);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.isTrueOf(labels);
}

describe('an expression over labels', () => {
  it.each([
    ['labels.zone == "a"', { zone: 'a' }, true],
    ['labels.zone == "a"', { zone: 'b' }, false],
    ['labels.zone in ["a", "b"]', { zone: 'b' }, true],
    ['has(labels.ssd)', {}, false],
    ['!has(labels.spot)', {}, true],
    ['labels["muster/arch"] != "arm"', { 'muster/arch': 'x86' }, true],
    ['labels.size.matches("^x?large$")', { size: 'xlarge' }, true],
  ])('%s for %j is %s', (text, labels, expected) => {
    expect(isTrueOf(text, labels as Record<string, string>)).toBe(expected);
  });

  it('without a value or with a value that is not a boolean is not true', () => {
    expect(isTrueOf('labels.zone != "a"', {})).toBe(false);
    expect(isTrueOf('labels.zone', { zone: 'true' })).toBe(false);
  });

  it('can read only the labels', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(isTrueOf(`has(labels.${name})`, {})).toBe(false);
  });

  it.each([
    ['labels.', /no expression of CEL/],
    ['true', /does not use labels/],
    ['input.a == labels.a', /names input; there is labels/],
    ['["a"].exists(x, x == labels.a)', /macro over a list/],
    [`${'('.repeat(20_000)}labels`, /longer than 1024/],
  ])('%s is refused', (text, problem) => {
    expect(compileLabels(text)).toMatchObject({ problem: expect.stringMatching(problem) });
  });
});
