/** Suggests the known name that an unknown name was probably meant to be. */

const MAX_EDITS = 3;

/** The nearest name; undefined if none is near. */
export function nearName(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map((known) => ({ known, edits: edits(name.toLowerCase(), known.toLowerCase()) }));
  const [best] = ranked.sort((one, other) => one.edits - other.edits);
  return best !== undefined && best.edits <= Math.min(MAX_EDITS, name.length / 2) ? best.known : undefined;
}

/** Edit distance: the number of letters to add, drop or replace. */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
