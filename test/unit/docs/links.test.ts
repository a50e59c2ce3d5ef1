/** Every link in a document leads to an existing file and heading. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anchorsOf, localLinks } from '../../support/docs/markdown.ts';

const root = new URL('../../../', import.meta.url);
const folders = [
  '',
  ...['docs/', 'docs/decisions/', 'docs/reference/', 'docs/sdks/'],
  ...['sdk/typescript/', 'sdk/python/', 'sdk/go/', 'sdk/java/', 'sdk/rust/'],
];
const documents = folders
  .filter((folder) => existsSync(new URL(folder, root)))
  .flatMap((folder) => readdirSync(new URL(folder, root)).map((name) => `${folder}${name}`))
  .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');

function problemOf(path: string, target: string): string | undefined {
  const [file = '', place] = target.split('#');
  const url = file === '' ? new URL(path, root) : new URL(file, new URL(path, root));
  if (!existsSync(url)) return `${target}: there is no such file`;
  if (place === undefined || !url.pathname.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(url, 'utf8')).has(place) ? undefined : `${target}: there is no such heading`;
}

describe.each(documents)('%s', (path) => {
  it('has no broken link', () => {
    const links = localLinks(readFileSync(new URL(path, root), 'utf8'));
    expect(links.flatMap(({ target }) => problemOf(path, target) ?? [])).toEqual([]);
  });
});

it('every guide is linked from another document', () => {
  const linked = new Set(
    documents.flatMap((path) =>
      localLinks(readFileSync(new URL(path, root), 'utf8')).map(({ target }) => {
        const [file = ''] = target.split('#');
        return file === '' ? '' : new URL(file, new URL(path, root)).pathname;
      }),
    ),
  );
  const guides = documents.filter((path) => /^docs\/[^/]+\.md$/.test(path));
  expect(guides.filter((path) => !linked.has(new URL(path, root).pathname))).toEqual([]);
});
