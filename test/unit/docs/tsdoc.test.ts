/** What the SDK for TypeScript exports says what it is: its declarations are its API docs. Generated code says what the contract says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../../../sdk/typescript/src/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, source), 'utf8');

const exported = [...read('index.ts').matchAll(/^export (?:type )?\{([^}]+)\} from '([^']+)';$/gm)]
  .filter(([, , file = '']) => !file.startsWith('./gen/'))
  .flatMap(([, names = '', file = '']) =>
    names.split(',').map((name) => [name.trim().split(' ')[0] ?? '', file] as const),
  );

describe('each export', () => {
  it.each(exported)('%s of %s has a comment', (name, file) => {
    const declaration = new RegExp(`^export (?:async )?(?:class|interface|function|const|type|enum) ${name}\\b`, 'm');
    const text = read(file);
    const at = text.search(declaration);
    expect(at).toBeGreaterThan(0);
    expect(text.slice(0, at).trimEnd()).toMatch(/\*\/(\n\/\/ biome-ignore .*)?$/);
  });
});

it('there are exports', () => {
  expect(exported.length).toBeGreaterThan(40);
});
