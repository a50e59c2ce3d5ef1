/** The smoke selection of conformance cases covers every group. */
import { describe, expect, it } from 'vitest';
import { groups } from '../../../server/tools/conformance/cases/all.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { coreCases } from '../../conformance/support/core.ts';

describe('the smoke selection', () => {
  it('has 40 cases, each once', () => {
    expect(new Set(coreCases).size).toBe(40);
    expect(allCases.map(({ name }) => name)).toEqual(expect.arrayContaining([...coreCases]));
  });

  it.each(groups.map(({ title, cases }) => [title, cases] as const))('has a case of "%s"', (_title, cases) => {
    expect(cases.some(({ name }) => coreCases.includes(name))).toBe(true);
  });
});
