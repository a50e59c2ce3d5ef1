/** Names by the numbers that SQL and the contract have for them. */

/** Looks a name up by its number; undefined: none has it. */
export function namesOf<T extends string>(codes: Readonly<Record<T, number>>): (code: number) => T | undefined {
  const names = new Map((Object.entries(codes) as [T, number][]).map(([name, code]) => [code, name]));
  return (code) => names.get(code);
}
