/** Names of the contract's enum values. */

/**
 * The number of an enum value; 0, the default, when `word` is `undefined`.
 *
 * @throws TypeError when the enum has no value of this name.
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
