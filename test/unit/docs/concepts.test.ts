/** docs/concepts.md: each concept links a guide that teaches it and a test that proves it, and both files exist. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sectionsOf, testsIn } from '../../support/docs/markdown.ts';

const docs = new URL('../../../docs/', import.meta.url);
const concepts = sectionsOf(readFileSync(new URL('concepts.md', docs), 'utf8'), 3);
const expected = ['Job definition', 'Job instance', 'Job queue', 'Job scheduler', 'Life cycle', 'Submission'].concat(
  ['Batch processing', 'Real-time processing', 'Workflow orchestration'],
  ['Tight coupling', 'Inconsistent error handling', 'Insufficient monitoring'],
  ['Dependencies between jobs', 'Cancellation', 'Retries without end'],
);

it('docs/concepts.md lists every concept of the job model', () => {
  expect(concepts.map(({ title }) => title)).toEqual(expect.arrayContaining(expected));
});

describe.each(concepts.map((concept) => [concept.title, concept] as const))('%s', (_title, concept) => {
  it('links a guide', () => {
    expect(concept.text).toMatch(/^- Guide: \[[^\]]+\]\([^)]+\)$/m);
  });

  it('links a test file that exists', () => {
    const files = testsIn(concept.text);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(new URL(file, docs)), file).toBe(true);
  });
});
