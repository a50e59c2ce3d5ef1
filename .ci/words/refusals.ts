/** Finds refused words in the pieces of a file. */
import type { Scope } from './piece.ts';
import { blank, piecesOf } from './pieces.ts';

/** An entry of words.json. */
export interface Refusal {
  /** Whole words or phrases; in identifiers, whole segments. */
  readonly words?: readonly string[];
  /** Whole identifiers; `*` stands for anything. */
  readonly names?: readonly string[];
  /** Where words are refused; names are refused as identifiers only. */
  readonly scopes: readonly Scope[];
  readonly instead: string;
  /** Phrases and identifiers in which a word is allowed, written exactly. */
  readonly allowed?: readonly string[];
}

export interface Hit {
  readonly scope: Scope;
  readonly word: string;
  readonly instead: string;
  readonly line: number;
}

type Find = (text: string) => { word: string; instead: string; at: number }[];

/** Code in a text is checked at its definition. */
const code = /`[^`\n]*`|\{@\w+[^}]*\}/g;
/** Removes the markers of comment lines, so that a phrase may span lines. */
const margin = /(?<=\n)[ \t]*(?:\*(?!\/)|\/\/[/!]?|#)/g;

/** Returns a function that finds the hits of a file. */
export function finder(refusals: readonly Refusal[]): (file: string, source: string) => Hit[] {
  const inText = new Map<Scope, Find>();
  const inIdentifier = identifierFinder(refusals.filter(({ scopes }) => scopes.includes('identifier')));
  return (file, source) => {
    const lines = lineCounter(source);
    return piecesOf(file, source).flatMap(({ scope, text, start }) => {
      const find = scope === 'identifier' ? inIdentifier : textFinder(inText, refusals, scope);
      return find(text).map(({ word, instead, at }) => ({ scope, word, instead, line: lines(start + at) }));
    });
  };
}

function textFinder(known: Map<Scope, Find>, refusals: readonly Refusal[], scope: Scope): Find {
  const found =
    known.get(scope) ??
    textFinderOf(
      refusals.filter(({ scopes }) => scopes.includes(scope)),
      scope,
    );
  known.set(scope, found);
  return found;
}

function textFinderOf(refusals: readonly Refusal[], scope: Scope): Find {
  const insteadOf = new Map(refusals.flatMap(({ words = [], instead }) => words.map((word) => [word, instead])));
  if (insteadOf.size === 0) return () => [];
  // Names in a contract have underscores between their words.
  const edge = scope === 'proto' ? '[A-Za-z0-9]' : '[\\w-]';
  const gap = scope === 'proto' ? '(?:_|\\s+)' : '\\s+';
  const phrases = [...insteadOf.keys()].sort((a, b) => b.length - a.length).map((word) => word.replaceAll(' ', gap));
  const pattern = new RegExp(`(?<!${edge})(?:${phrases.join('|')})(?!${edge})`, 'gi');
  const fine = allowedPattern(refusals);
  return (text) => {
    const bare = blank(blank(blank(text, margin), code), fine);
    return [...bare.matchAll(pattern)].map(({ 0: found, index: at }) => {
      const word = found.toLowerCase().replace(/[\s_]+/g, ' ');
      return { word, instead: insteadOf.get(word) ?? '', at };
    });
  };
}

function allowedPattern(refusals: readonly Refusal[]): RegExp {
  const phrases = refusals
    .flatMap(({ allowed = [] }) => allowed)
    .map((phrase) => escaped(phrase).replaceAll(' ', '\\s+'));
  return phrases.length > 0 ? new RegExp(`\\b(?:${phrases.join('|')})\\b`, 'g') : /(?!)/g;
}

function identifierFinder(refusals: readonly Refusal[]): Find {
  const known = new Map<string, ReturnType<Find>>();
  const allowed = new Set(refusals.flatMap((refusal) => refusal.allowed ?? []));
  const matchers = refusals.map(matcherOf);
  return (identifier) => {
    const found =
      known.get(identifier) ?? (allowed.has(identifier) ? [] : matchers.flatMap((match) => match(identifier)));
    known.set(identifier, found);
    return found;
  };
}

function matcherOf({ words = [], names = [], instead }: Refusal): Find {
  const segments = new RegExp(`(?<= )(?:${words.join('|')})(?= )`, 'g');
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const shapes = names.filter((name) => name.includes('*'));
  const shape = new RegExp(`^(?:${shapes.map((name) => escaped(name).replaceAll('\\*', '.*')).join('|')})$`);
  return (identifier) => {
    const bare = identifier.replace(/^#/, '');
    const isName = exact.has(bare) || (shapes.length > 0 && shape.test(bare));
    if (isName) return [{ word: bare, instead, at: 0 }];
    if (words.length === 0) return [];
    return [...` ${segmentsOf(bare).join(' ')} `.matchAll(segments)].map(([word]) => ({ word, instead, at: 0 }));
  };
}

/** Divides at case and underscore. */
export function segmentsOf(identifier: string): string[] {
  return identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_$]+/)
    .filter(Boolean);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function lineCounter(source: string): (position: number) => number {
  let line = 1;
  let counted = 0;
  return (position) => {
    if (position < counted) [line, counted] = [1, 0];
    for (let at = source.indexOf('\n', counted); at >= 0 && at < position; at = source.indexOf('\n', at + 1)) {
      line++;
      counted = at + 1;
    }
    return line;
  };
}
