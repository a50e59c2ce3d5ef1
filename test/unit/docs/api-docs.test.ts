/**
 * Every exported name of the TypeScript and Java SDKs has a comment. The other SDKs are checked by their own tools:
 * ruff, TestDocComments of sdk/go, `missing_docs` of rustc. Generated code takes its comments from the contract.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const typescript = new URL('../../../sdk/typescript/src/', import.meta.url);
const java = new URL('../../../sdk/java/src/main/java/dev/muster/sdk/', import.meta.url);
const read = (file: string, folder: URL) => readFileSync(new URL(file, folder), 'utf8');

const exported = [...read('index.ts', typescript).matchAll(/^export (?:type )?\{([^}]+)\} from '([^']+)';$/gm)]
  .filter(([, , file = '']) => !file.startsWith('./gen/'))
  .flatMap(([, names = '', file = '']) => names.split(',').map((name) => ({ name: name.trim().split(' ')[0], file })));

describe('the TypeScript SDK: the declaration', () => {
  it.each(exported)('of $name in $file has a comment', ({ name, file }) => {
    const declaration = new RegExp(`^export (?:async )?(?:class|interface|function|const|type|enum) ${name}\\b`, 'm');
    const text = read(file, typescript);
    const at = text.search(declaration);
    expect(at).toBeGreaterThan(0);
    expect(text.slice(0, at).trimEnd()).toMatch(/\*\/(\n\/\/ biome-ignore .*)?$/);
  });

  it('list covers more than 40 names', () => expect(exported.length).toBeGreaterThan(40));
});

const classes = readdirSync(java, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.java') && !file.startsWith('internal/'))
  .filter((file) => /^public /m.test(read(file, java)));

/** Public declarations without a comment above them or their annotations. An override inherits its comment. */
function bare(text: string): string[] {
  const ofInterface = /^public (sealed )?interface /m.test(text)
    ? '|^  (?:default |static )?[\\w<][\\w<>\\[\\], .?]* \\w+\\('
    : '';
  const lines = text.split('\n');
  return lines.filter((line, i) => {
    if (!new RegExp(`^(?:  )?public ${ofInterface}`).test(line)) return false;
    const above = lines.slice(0, i);
    const annotations = [];
    while (/^\s*@/.test(above.at(-1) ?? '')) annotations.push(above.pop());
    return !annotations.some((one) => one?.includes('@Override')) && !above.at(-1)?.endsWith('*/');
  });
}

describe('the Java SDK: the check', () => {
  it.each(classes)('finds a comment on every public declaration of %s', (file) =>
    expect(bare(read(file, java))).toEqual([]),
  );

  it('covers more than 20 classes, and reports a declaration without a comment', () => {
    expect(classes.length).toBeGreaterThan(20);
    expect(bare('/** A thing. */\npublic interface Thing {\n  int size();\n}\n')).toEqual(['  int size();']);
  });
});
