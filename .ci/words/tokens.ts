/** Splits TypeScript and JavaScript into tokens. They cover the source without a gap, so joining them gives it back. */

export type TokenKind = 'space' | 'comment' | 'identifier' | 'number' | 'string' | 'template' | 'regex' | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
}

const patterns: readonly (readonly [TokenKind, string])[] = [
  ['space', String.raw`\s+`],
  ['comment', String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/|^#![^\n]*`],
  ['identifier', String.raw`#?[\p{ID_Start}$_][\p{ID_Continue}$]*`],
  ['number', String.raw`\.?\d(?:[eE][+-]\d|[\w.])*`],
  ['string', String.raw`'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"`],
  ['punctuation', String.raw`=>|\?\.(?!\d)|\.\.\.|[\s\S]`],
];
const next = new RegExp(patterns.map(([, source]) => `(${source})`).join('|'), 'uy');
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
const chunk = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;

/** Words after which a slash begins a regular expression. */
const beforeRegex = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof extends default'.split(' '),
);

/** @throws Error when a template, string or expression in braces does not end. */
export function tokensOf(source: string): Token[] {
  return new Scanner(source).scan();
}

class Scanner {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  /** For each `${` that is open, how many braces are open inside it. */
  readonly #templates: number[] = [];
  #position = 0;
  #significant: Token | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  scan(): Token[] {
    while (this.#position < this.#source.length) this.#step();
    if (this.#templates.length > 0) throw new Error('a template does not end');
    return this.#tokens;
  }

  #step(): void {
    const character = this.#source[this.#position];
    if (character === '`') this.#template();
    else if (character !== '/' || !this.#regex()) this.#plain();
  }

  #plain(): void {
    next.lastIndex = this.#position;
    const match = next.exec(this.#source) as RegExpExecArray;
    const index = match.findIndex((group, i) => i > 0 && group !== undefined) - 1;
    const [kind] = patterns[index] as (typeof patterns)[number];
    if (this.#endsExpression(match[0])) this.#template();
    else this.#add(kind, match[0]);
  }

  /** Whether a brace closes the expression of a template; it also counts braces. */
  #endsExpression(text: string): boolean {
    const last = this.#templates.length - 1;
    if (last < 0 || (text !== '{' && text !== '}')) return false;
    const open = this.#templates[last] as number;
    this.#templates[last] = open + (text === '{' ? 1 : -1);
    if (text === '{' || open > 0) return false;
    this.#templates.pop();
    return true;
  }

  /** A piece of a template: from its backtick, or the brace that closes an expression, to the next one. */
  #template(): void {
    chunk.lastIndex = this.#position + 1;
    const match = chunk.exec(this.#source);
    if (!match) throw new Error(`a template does not end: ${this.#source.slice(this.#position, this.#position + 40)}`);
    const text = this.#source.slice(this.#position, chunk.lastIndex);
    this.#add('template', text);
    if (text.endsWith('${')) this.#templates.push(0);
  }

  #regex(): boolean {
    if (!this.#mayBeRegex()) return false;
    regex.lastIndex = this.#position;
    const match = regex.exec(this.#source);
    if (match) this.#add('regex', match[0]);
    return match !== null;
  }

  #add(kind: TokenKind, text: string): void {
    const token = { kind, text, start: this.#position };
    this.#tokens.push(token);
    this.#position += text.length;
    if (kind !== 'space' && kind !== 'comment') this.#significant = token;
  }

  #mayBeRegex(): boolean {
    if ('/*'.includes(this.#source[this.#position + 1] ?? '')) return false;
    const before = this.#significant;
    if (!before) return true;
    if (before.kind === 'identifier') return beforeRegex.has(before.text);
    if (before.kind === 'template') return before.text.endsWith('${');
    return before.kind === 'punctuation' && !/^[)\]]$/.test(before.text);
  }
}
