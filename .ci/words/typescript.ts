/** The texts of TypeScript and JavaScript: identifiers, comments, test titles, and other strings that are sentences. */
import type { Piece } from './piece.ts';
import { type Token, tokensOf } from './tokens.ts';

const testFunctions = new Set(['describe', 'it', 'test']);
const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
/** SQL uses the names of its schema, which change only with the schema. */
const sql =
  /^\s*--|\b(?:SELECT|INSERT INTO|UPDATE|DELETE|FROM|WHERE|JOIN|LATERAL|RETURNING|SET|ORDER BY|GROUP BY|AND|OR|WITH|CASE|WHEN|VALUES|COALESCE|CREATE|ALTER|DROP|NOTIFY|LOCK|EXISTS|UNION|EXCEPT|OFFSET|LIMIT|NULL|INDEX)\b/;

export function piecesOfTypeScript(source: string): Piece[] {
  const tokens = tokensOf(source);
  const titles = titleTokens(tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment'));
  return [...comments(tokens), ...tokens.flatMap((token) => pieceOf(token, titles.has(token)) ?? [])];
}

function pieceOf({ kind, text, start }: Token, isTitle: boolean): Piece | undefined {
  if (kind === 'identifier') return { scope: 'identifier', text, start };
  if (kind !== 'string' && kind !== 'template') return undefined;
  const inside = { text: text.replace(/^[`'"}]|(?:[`'"]|\$\{)$/g, ''), start: start + 1 };
  if (isTitle) return { scope: 'title', ...inside };
  const isSentence = inside.text.trim().includes(' ') && !sql.test(inside.text);
  return isSentence ? { scope: 'message', ...inside } : undefined;
}

/** Consecutive line comments are one text, so that a phrase may span lines. */
function comments(tokens: readonly Token[]): Piece[] {
  const found: { scope: 'comment'; text: string; start: number }[] = [];
  let end = -1;
  for (const { kind, text, start } of tokens) {
    const last = found.at(-1);
    if (kind === 'space' && start === end && !/\n\s*\n/.test(text) && last) {
      last.text += text;
      end = start + text.length;
    } else if (kind === 'comment') {
      if (start === end && last && text.startsWith('//')) last.text += text;
      else found.push({ scope: 'comment', text, start });
      end = start + text.length;
    }
  }
  return found;
}

/** The strings that are first arguments of `describe`, `it` and `test`, also behind `.each(…)` and the like. */
function titleTokens(tokens: readonly Token[]): Set<Token> {
  const titles = new Set<Token>();
  for (const [i, { kind, text }] of tokens.entries()) {
    if (kind !== 'identifier' || !testFunctions.has(text) || tokens[i - 1]?.text === '.') continue;
    for (const token of titleBehind(tokens, i + 1)) titles.add(token);
  }
  return titles;
}

function titleBehind(tokens: readonly Token[], from: number): Token[] {
  for (let i = from; i < tokens.length; i++) {
    const { kind, text } = tokens[i] as Token;
    if (text === '<') i = endOfGenerics(tokens, i);
    else if (kind === 'template') i = templateAt(tokens, i).end;
    else if (text === '(') {
      const first = tokens[i + 1];
      if (first?.kind === 'string') return [first];
      if (first?.kind === 'template') return templateAt(tokens, i + 1).chunks;
      i = endOfGroup(tokens, i);
    } else if (text !== '.' && tokens[i - 1]?.text !== '.') return [];
  }
  return [];
}

/** The pieces of the template that begins there, without the contents of its expressions. */
function templateAt(tokens: readonly Token[], from: number): { chunks: Token[]; end: number } {
  const chunks: Token[] = [];
  let depth = 0;
  for (let i = from; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.kind !== 'template') continue;
    if (token.text.startsWith('`')) depth++;
    if (depth === 1) chunks.push(token);
    if (!token.text.endsWith('${')) depth--;
    if (depth === 0) return { chunks, end: i };
  }
  return { chunks, end: tokens.length };
}

function endOfGroup(tokens: readonly Token[], from: number): number {
  const open = (tokens[from] as Token).text;
  const close = closers[open];
  let depth = 0;
  for (let i = from; i < tokens.length; i++) {
    const { text } = tokens[i] as Token;
    if (text === open) depth++;
    if (text === close && --depth === 0) return i;
  }
  return tokens.length;
}

function endOfGenerics(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let i = from; i < tokens.length; i++) {
    const { text } = tokens[i] as Token;
    if (text === '<') depth++;
    if (text === '>' && --depth === 0) return i;
  }
  return tokens.length;
}
