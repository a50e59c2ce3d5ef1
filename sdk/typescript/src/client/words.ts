/** Words that callers write for the contract's enums. */

/**
 * The number of a word; 0, the default, when there is none.
 *
 * @throws TypeError on a word that the contract does not have.
 */
export function codeOf<T extends number>(
  values: Readonly<Record<string, T | string>>,
  word: string | undefined,
  what: string,
): T {
  if (word === undefined) return 0 as T;
  const code = values[word];
  if (typeof code !== 'number') throw new TypeError(`there is no ${what} "${word}"`);
  return code;
}
