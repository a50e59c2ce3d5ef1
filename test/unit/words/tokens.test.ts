import { expect, it } from 'vitest';
import { tokensOf } from '../../../.ci/words/tokens.ts';

/** The tokens without white space, each with its kind. */
function tokens(source: string): string[] {
  const found = tokensOf(source);
  expect(found.map(({ text }) => text).join('')).toBe(source);
  return found.filter(({ kind }) => kind !== 'space').map(({ kind, text }) => `${kind} ${text}`);
}

it.each<[string, string, string[]]>([
  [
    'names',
    'this.#told = $a_1',
    ['identifier this', 'punctuation .', 'identifier #told', 'punctuation =', 'identifier $a_1'],
  ],
  ['comments', "a // b 'c'\n/* d\n* e */", ['identifier a', "comment // b 'c'", 'comment /* d\n* e */']],
  ['quotes within strings', `'a\\'b' "c'd"`, [`string 'a\\'b'`, `string "c'd"`]],
  ['a division', 'a / b / c', ['identifier a', 'punctuation /', 'identifier b', 'punctuation /', 'identifier c']],
  [
    'a division of a group',
    '(a) / b',
    ['punctuation (', 'identifier a', 'punctuation )', 'punctuation /', 'identifier b'],
  ],
  ['a regular expression', "return /[/']\\/x/gu", ['identifier return', "regex /[/']\\/x/gu"]],
  ['a regular expression as an argument', 'f(/a/)', ['identifier f', 'punctuation (', 'regex /a/', 'punctuation )']],
  ['numbers', '1_000 .5 2e-3 1n', ['number 1_000', 'number .5', 'number 2e-3', 'number 1n']],
  ['a property of an optional value', 'a?.b', ['identifier a', 'punctuation ?.', 'identifier b']],
  ['a template', `\`a \${b} c\``, [`template \`a \${`, 'identifier b', 'template } c`']],
  [
    'a template with an object and a template within',
    `\`\${{ a: \`\${b}\` }}\``,
    [
      `template \`\${`,
      'punctuation {',
      'identifier a',
      'punctuation :',
      `template \`\${`,
      'identifier b',
      'template }`',
      'punctuation }',
      'template }`',
    ],
  ],
  ['a dollar in a template', `\`$a \\\${b}\``, [`template \`$a \\\${b}\``]],
])('the scanner finds %s', (_, source, expected) => {
  expect(tokens(source)).toEqual(expected);
});

it('the scanner refuses a template without an end', () => {
  expect(() => tokensOf(`\`a \${b}`)).toThrow('a template does not end');
  expect(() => tokensOf(`\`a \${b`)).toThrow('a template does not end');
});
