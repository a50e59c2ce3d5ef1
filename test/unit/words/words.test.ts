import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scopes } from '../../../.ci/words/piece.ts';
import { finder, type Refusal, segmentsOf } from '../../../.ci/words/refusals.ts';

const refusals: readonly Refusal[] = JSON.parse(
  readFileSync(new URL('../../../.ci/words.json', import.meta.url), 'utf8'),
);
const find = finder(refusals);

/** The hits of a file, as `line scope word`. */
function hits(file: string, source: string): string[] {
  return find(file, source).map(({ line, scope, word }) => `${line} ${scope} ${word}`);
}

describe('the word check', () => {
  it.each<[string, string, string, string[]]>([
    ['a name', 'server/a.ts', '\nconst onTold = 1;', ['2 identifier told']],
    ['a private name', 'server/a.ts', 'this.#tellLanes();', ['1 identifier tell']],
    ['a phrase in a name', 'server/a.ts', 'goOn(GOES_ON)', ['1 identifier go on', '1 identifier goes on']],
    ['a bound', 'server/a.ts', 'MOST_LANES; LANES_A_CLAIM;', ['1 identifier MOST_LANES', '1 identifier LANES_A_CLAIM']],
    ['a line comment', 'test/a.ts', 'a;\n// is Told.', ['2 comment told']],
    ['a phrase over line comments', 'server/a.ts', '// It goes\n  // on.', ['1 comment goes on']],
    ['a phrase over lines of a comment', 'server/a.ts', '/**\n * It goes\n * on.\n */', ['2 comment goes on']],
    ['a comment at the end of a block', 'server/a.ts', '/** Told. */ /* Told */', ['1 comment told', '1 comment told']],
    ['a message', 'sdk/typescript/a.ts', "throw Error('is doomed now')", ['1 message doomed']],
    ['a message with an expression', 'workers/a.ts', `\`a \${b} is told\``, ['1 message told']],
    ['a title', 'test/a.test.ts', "it('is told', () => {})", ['1 title told']],
    ['a title of a table', 'test/a.test.ts', "it.each<[string]>([['x']])('%s is told', f)", ['1 title told']],
    ['a title behind a condition', 'test/a.test.ts', "describe.skipIf(a('b'))('told', f)", ['1 title told']],
    ['a title with an expression', 'test/a.test.ts', `test(\`a \${b(\`c\`)} told\`, f)`, ['1 title told']],
    ['a title behind a template table', 'test/a.test.ts', `it.each\`a\n\${1}\`('told', f)`, ['2 title told']],
    ['a contract', 'proto/a.proto', '// Is told.\nbool told_at = 1;', ['1 proto told', '2 proto told']],
    ['a guide', 'docs/a.md', 'Muster\ngoes on.', ['2 docs goes on']],
    [
      'Python',
      'sdk/python/a.py',
      '"""Told."""\na = "told"  # told\nb = """told"""',
      ['1 comment told', '2 comment told'],
    ],
    ['Go', 'sdk/go/a.go', '// told\na := "// told" + `told`', ['1 comment told']],
    ['Rust', 'sdk/rust/a.rs', '/// told\nlet a: &\'a str = r#"told"#; // told', ['1 comment told', '2 comment told']],
    ['Java', 'sdk/java/A.java', '/** told */ a = """\n// told""";', ['1 comment told']],
  ])('finds a refused word in %s', (_, file, source, expected) => {
    expect(hits(file, source)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['a part of a word', 'server/a.ts', '// untold newsletters\nconst retold = AT_MOST_ONCE;'],
    ['a word in a quoted name', 'server/a.ts', '// As `told` says, {@link told}.'],
    ['a word in a fence', 'docs/a.md', '```\ntold\n```\n`told` [a](told.md) <told> https://a.b/told'],
    ['a word in SQL', 'server/a.ts', 'const a = `SELECT told FROM b`'],
    ['a word in a string without spaces', 'server/a.ts', "const a = 'told'"],
    ['a message of a test', 'test/a.ts', "const a = 'is told'"],
    ['a string that is no title', 'test/a.test.ts', "a.it('is told'); it(f('told'), g('is told'))"],
    ['an allowed phrase', 'docs/a.md', 'Go on Linux'],
  ])('accepts %s', (_, file, source) => {
    expect(hits(file, source)).toEqual([]);
  });

  it('splits names at case and underscore', () => {
    expect(segmentsOf('onCELTold_fooBar9Baz')).toEqual(['on', 'cel', 'told', 'foo', 'bar9', 'baz']);
  });

  it('has an alternative and known scopes for each word', () => {
    for (const refusal of refusals) {
      expect(refusal.instead).not.toBe('');
      expect(scopes).toEqual(expect.arrayContaining([...refusal.scopes]));
      expect([...(refusal.words ?? []), ...(refusal.names ?? [])]).not.toEqual([]);
    }
  });
});
