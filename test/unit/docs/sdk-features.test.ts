/** The feature table of the SDKs is true: sources declare each name in it, and "no method" means that none exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sectionsOf } from '../../support/docs/markdown.ts';
import { type Language, languages } from '../../support/docs/sdk-pages.ts';

const root = new URL('../../../', import.meta.url).pathname;

interface Sources {
  readonly folder: string;
  readonly files: RegExp;
  /** A pattern for a declaration of the name. */
  readonly declaration: (name: string) => RegExp;
  /** A pattern for the files of the client. */
  readonly client: RegExp;
  /** The name of a call such as `WatchEvents` in the style of the language. */
  readonly spelled: (words: string) => string;
}

const camel = (words: string) => words.replace(/^./, (letter) => letter.toLowerCase());
const snake = (words: string) => words.replace(/(?<!^)(?=[A-Z])/g, '_').toLowerCase();

const sources: Record<Language, Sources> = {
  typescript: {
    folder: 'sdk/typescript/src',
    files: /^(?!gen\/).*\.ts$/,
    client: /^client\//,
    declaration: (name) =>
      new RegExp(`^ +(async |readonly |get |\\*)*${name}(<.*>)?[?]?[(:]|^export .*\\b${name}\\b`, 'm'),
    spelled: camel,
  },
  python: {
    folder: 'sdk/python/src/muster',
    files: /^(?!v1\/).*\.py$/,
    client: /^client\//,
    declaration: (name) =>
      new RegExp(`^ *((async )?def|class) ${name}\\b|^ +${name}(: \\w+)? =|^ +(self\\.)?${name}: `, 'm'),
    spelled: snake,
  },
  go: {
    folder: 'sdk/go',
    files: /^(mustertest\/)?[a-z_]+(?<!_test)\.go$/,
    client: /^client/,
    declaration: (name) => new RegExp(`^func (\\(.*?\\) )?${name}[[(]|^(\\t|type )${name} `, 'm'),
    spelled: (words) => words,
  },
  java: {
    folder: 'sdk/java/src/main/java/dev/muster/sdk',
    files: /^(?!internal\/).*\.java$/,
    client: /Client\.java$/,
    declaration: (name) =>
      new RegExp(`^ +(?!return|throw|new)[\\w<>., ?]+ ${name}\\(|(class|record|interface|enum) ${name}\\b`, 'm'),
    spelled: camel,
  },
  rust: {
    folder: 'sdk/rust/src',
    files: /^(?!generated\/).*\.rs$/,
    client: /^client\//,
    declaration: (name) => new RegExp(`pub (async )?(fn|struct|enum|mod) ${name}\\b`),
    spelled: snake,
  },
};

function isDeclared(language: Language, name: string, within: RegExp = /^/): boolean {
  const { folder, files, declaration } = sources[language];
  return readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((file) => files.test(file) && within.test(file))
    .some((file) => declaration(name).test(readFileSync(join(root, folder, file), 'utf8')));
}

const overview = readFileSync(join(root, 'docs/sdks.md'), 'utf8');
const rows = sectionsOf(overview, 2)
  .filter(({ title }) => title === 'What each has')
  .flatMap(({ text }) => text.split('\n'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .filter((cells) => cells.length === languages.length + 3 && !/^-*$|^$/.test(cells[1] ?? ''));

describe.each(rows.map((cells) => [cells[1] ?? '', cells.slice(2, -1)] as const))(
  'the SDK feature "%s"',
  (feature, cells) => {
    it.each(languages.map((language, i) => [language, cells[i] ?? ''] as const))(
      'is described correctly for %s: %s',
      (language, cell) => {
        const names = [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name);
        expect(names.filter((name) => !isDeclared(language, name))).toEqual([]);
        if (names.length > 0) return;
        expect(cell).toMatch(/^(stub|no|yes|by a bridge of .*)$/);
        // A row of calls names them in its first cell, so that the test fails when a client gets a method for one.
        const calls = [...feature.matchAll(/`(\w+)`/g)].map(([, call = '']) => sources[language].spelled(call));
        expect(calls.filter((call) => isDeclared(language, call, sources[language].client))).toEqual([]);
      },
    );
  },
);

it('the feature table has rows', () => {
  expect(rows.length).toBeGreaterThan(20);
});
