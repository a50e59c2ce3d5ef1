/** Splits a command text into words: quotes work as in a shell, and nothing else of a shell does. */
import { InvalidArgumentError } from 'commander';

const BLANK = /\s/;
/** Characters with a meaning in a shell, which would have none here. */
const SHELL = /[|&;<>()$`]/;
/** Within double quotes a backslash escapes only these. */
const QUOTABLE = /["\\$`]/;

/** @throws InvalidArgumentError if a quote is not closed, or a shell is needed. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (BLANK.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'" || char === '"') {
      const end = endOfQuote(text, at);
      word = (word ?? '') + quoted(text.slice(at + 1, end), char);
      at = end;
    } else if (char === '\\') {
      if (at + 1 === text.length) throw new InvalidArgumentError('It ends with a backslash.');
      word = (word ?? '') + text.charAt(++at);
    } else if (SHELL.test(char)) {
      throw new InvalidArgumentError(
        `"${char}" is special in a shell, and no shell is used here: quote it, or run one: sh -c '…'.`,
      );
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function endOfQuote(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at++) {
    if (text.charAt(at) === quote) return at;
    if (quote === '"' && text.charAt(at) === '\\') at++;
  }
  throw new InvalidArgumentError(`A quote (${quote}) is not closed.`);
}

function quoted(text: string, quote: string): string {
  if (quote === "'") return text;
  return text.replace(/\\([\s\S])/g, (both, char: string) => (QUOTABLE.test(char) ? char : both));
}
