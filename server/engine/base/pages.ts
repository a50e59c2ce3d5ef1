/** Lists that the store gives in pages. */

/** Before all ids. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Reads a list to its end. `pageRows`: the rows of a full page. `read` gets the last row of the page before, undefined
 * at first.
 */
export async function readPages<T>(
  pageRows: number,
  read: (last: T | undefined) => Promise<readonly T[]>,
): Promise<T[]> {
  const rows: T[] = [];
  for (let last: T | undefined; ; ) {
    const page = await read(last);
    rows.push(...page);
    last = page.at(-1);
    if (last === undefined || page.length < pageRows) return rows;
  }
}
