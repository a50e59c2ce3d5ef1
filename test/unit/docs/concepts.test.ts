/** docs/concepts.md: each concept has a guide that teaches it and a test that proves it, and both are there. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Section, sectionsOf } from '../../support/markdown.ts';

const docs = new URL('../../../docs/', import.meta.url);
const concepts = sectionsOf(readFileSync(new URL('concepts.md', docs), 'utf8'), 3);
const expected = ['Job definition', 'Job instance', 'Job queue', 'Job scheduler', 'Life cycle', 'Submission'].concat(
  ['Batch processing', 'Real-time processing', 'Workflow orchestration'],
  ['Tight coupling', 'Inconsistent error handling', 'Insufficient monitoring'],
  ['Dependencies between jobs', 'Cancellation', 'Retries without end'],
);

interface Proof {
  readonly file: string;
  readonly title: string;
}

function proofsOf({ text }: Section): Proof[] {
  const lines = text.split('\n').filter((line) => line.startsWith('- Test: '));
  return lines.flatMap((line) =>
    [...line.matchAll(/\[[^\]]+\]\(([^)]+)\), “([^”]+)”/g)].map(([, file = '', title = '']) => ({ file, title })),
  );
}

/** As a literal: what a template makes only when it runs can't be found here. */
function hasTest(source: string, title: string): boolean {
  const spellings = [`'${title}'`, `"${title}"`, `\`${title}\``];
  return spellings.some((spelling) => source.includes(spelling));
}

it('has every concept of the job model', () => {
  expect(concepts.map(({ title }) => title)).toEqual(expect.arrayContaining(expected));
});

describe.each(concepts.map((concept) => [concept.title, concept] as const))('%s', (_title, concept) => {
  it('names a guide', () => {
    expect(concept.text).toMatch(/^- Guide: \[[^\]]+\]\([^)]+\)$/m);
  });

  it('names a test that is there', () => {
    const proofs = proofsOf(concept);
    expect(proofs.length).toBeGreaterThan(0);
    for (const { file, title } of proofs) {
      const url = new URL(file, docs);
      expect(existsSync(url), file).toBe(true);
      expect(hasTest(readFileSync(url, 'utf8'), title), `${file} has no test “${title}”`).toBe(true);
    }
  });
});
