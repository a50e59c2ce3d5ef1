/**
 * What the SDKs for TypeScript and Java export says what it is. The others are held to it by tools of their own: ruff, TestDocComments of
 * sdk/go, `missing_docs` of rustc. Generated code says what the contract says.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const typescript = new URL('../../../sdk/typescript/src/', import.meta.url);
const java = new URL('../../../sdk/java/src/main/java/dev/muster/sdk/', import.meta.url);
const read = (file: string, folder: URL) => readFileSync(new URL(file, folder), 'utf8');

const exported = [...read('index.ts', typescript).matchAll(/^export (?:type )?\{([^}]+)\} from '([^']+)';$/gm)]
  .filter(([, , file = '']) => !file.startsWith('./gen/'))
  .flatMap(([, names = '', file = '']) => names.split(',').map((name) => ({ name: name.trim().split(' ')[0], file })));

describe('of TypeScript', () => {
  it.each(exported)('$name of $file has a comment', ({ name, file }) => {
    const declaration = new RegExp(`^export (?:async )?(?:class|interface|function|const|type|enum) ${name}\\b`, 'm');
    const text = read(file, typescript);
    const at = text.search(declaration);
    expect(at).toBeGreaterThan(0);
    expect(text.slice(0, at).trimEnd()).toMatch(/\*\/(\n\/\/ biome-ignore .*)?$/);
  });

  it('is looked at', () => expect(exported.length).toBeGreaterThan(40));
});

const classes = readdirSync(java, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.java') && !file.startsWith('internal/'))
  .filter((file) => /^public /m.test(read(file, java)));

/** Public declarations without a comment above them and their annotations. What overrides has that of what it overrides. */
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

describe('of Java', () => {
  it.each(classes)('everything in %s has a comment', (file) => expect(bare(read(file, java))).toEqual([]));

  it('is looked at, and what lacks one would be found', () => {
    expect(classes.length).toBeGreaterThan(20);
    expect(bare('/** A thing. */\npublic interface Thing {\n  int size();\n}\n')).toEqual(['  int size();']);
  });
});
