/** Names by their numbers in SQL and in the contract. */

/** Returns a lookup from number to name; it returns undefined for an unknown number. */
export function namesOf<T extends string>(codes: Readonly<Record<T, number>>): (code: number) => T | undefined {
  const names = new Map((Object.entries(codes) as [T, number][]).map(([name, code]) => [code, name]));
  return (code) => names.get(code);
}
