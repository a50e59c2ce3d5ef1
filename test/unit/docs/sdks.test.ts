/** The pages that compare the SDKs show every language. test/languages checks that their code compiles. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { localLinks } from '../../support/docs/markdown.ts';
import { importSections, languages, sdkPages, sdkSections } from '../../support/docs/sdk-pages.ts';

const docs = new URL('../../../docs/', import.meta.url);
const LONGEST_PAGE = 400;
const LONGEST_BLOCK = 15;

describe.each(sdkSections.map((section) => [section.title, section] as const))('%s', (_, { prose, blocks }) => {
  it('has text, links its guide, and shows each language', () => {
    expect(prose).toMatch(/\.$/);
    expect(blocks.map(({ language }) => language)).toEqual(languages);
  });

  it('is short in each language', () => {
    const long = blocks.filter(({ code }) => code.trimEnd().split('\n').length > LONGEST_BLOCK);
    expect(long).toEqual([]);
  });
});

it('the imports of each language are shown once', () => {
  expect(importSections.map(({ blocks }) => blocks.map(({ language }) => language))).toEqual([languages]);
});

it('each page is short', () => {
  const lengths = sdkPages.map((page) => readFileSync(new URL(`sdks/${page}`, docs), 'utf8').split('\n').length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(LONGEST_PAGE);
});

it('the overview links to each page and each section', () => {
  const targets = localLinks(readFileSync(new URL('sdks.md', docs), 'utf8')).map(({ target }) => target);
  const wanted = sdkSections.map(({ page, title }) => `sdks/${page}#${anchor(title)}`);
  expect(wanted.filter((target) => !targets.includes(target))).toEqual([]);
});

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '')
    .replaceAll(' ', '-');
}
