/** The pieces of a file that are checked against the word list, by language. */
import type { Piece } from './piece.ts';
import { piecesOfTypeScript } from './typescript.ts';

/** Where strings are messages of the product. */
const product = /^(server|sdk|workers)\//;

const cLike = [
  String.raw`(\/\/[^\n]*(?:\n\s*\/\/[^\n]*)*|\/\*[\s\S]*?\*\/)`,
  String.raw`r(#+)"[\s\S]*?"\2`,
  String.raw`"""(?:[^\\]|\\[\s\S])*?"""`,
  String.raw`"(?:[^"\\]|\\[\s\S])*"`,
  String.raw`'(?:[^'\\\n]|\\[^'\n]{1,8}|\\')'`,
];
const go = new RegExp([...cLike, '`[^`]*`'].join('|'), 'g');
const rustOrJava = new RegExp(cLike.join('|'), 'g');
/** A triple-quoted string that is a statement is a docstring. */
const python = new RegExp(
  [
    String.raw`(#[^\n]*(?:\n[ \t]*#[^\n]*)*|(?<=(?:^|[:\n])\s*)[rR]?"""[\s\S]*?""")`,
    String.raw`"""[\s\S]*?"""`,
    String.raw`"(?:[^"\\\n]|\\[\s\S])*"`,
    String.raw`'(?:[^'\\\n]|\\[\s\S])*'`,
  ].join('|'),
  'g',
);
const fence = /^([ \t]*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\2[^\n]*$/gm;
const markup = /<!--[\s\S]*?-->|(?<=\])\([^)\s]*\)|<[^>\n]*>|\bhttps?:\/\/\S+/g;

const readers: Readonly<Record<string, (source: string) => Piece[]>> = {
  ts: piecesOfTypeScript,
  mts: piecesOfTypeScript,
  mjs: piecesOfTypeScript,
  js: piecesOfTypeScript,
  go: (source) => commentsOf(source, go),
  rs: (source) => commentsOf(source, rustOrJava),
  java: (source) => commentsOf(source, rustOrJava),
  py: (source) => commentsOf(source, python),
  proto: (source) => [{ scope: 'proto', text: source, start: 0 }],
  md: (source) => [{ scope: 'docs', text: blank(blank(source, fence), markup), start: 0 }],
};

export const endings = Object.keys(readers);

export function piecesOf(file: string, source: string): Piece[] {
  const read = readers[file.slice(file.lastIndexOf('.') + 1)];
  if (!read) throw new Error(`${file}: nothing reads files of this kind`);
  return read(source).filter(({ scope }) => scope !== 'message' || product.test(file));
}

function commentsOf(source: string, pattern: RegExp): Piece[] {
  return [...source.matchAll(pattern)]
    .filter(([, comment]) => comment !== undefined)
    .map(({ 1: text = '', index: start }) => ({ scope: 'comment', text, start }));
}

/** Replaces matches by spaces, so that later positions stay the same. */
export function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => found.replace(/[^\n]/g, ' '));
}
