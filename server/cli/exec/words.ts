/** The words of a command that is given as one text: quotes as shells have them, and nothing else of a shell. */
import { InvalidArgumentError } from 'commander';

const BLANK = /\s/;
/** What would mean something to a shell, and nothing to us. */
const SHELL = /[|&;<>()$`]/;
/** Within double quotes a backslash takes away the meaning of these alone. */
const QUOTABLE = /["\\$`]/;

/** @throws InvalidArgumentError when a quote is not closed, or a shell is needed. */
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
        `"${char}" is a shell's, and no shell looks at it: quote it, or ask for one: sh -c '…'.`,
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
