/** Tables: columns as wide as needed, cut if the terminal is narrower. */
import { printable } from './printable.ts';
import { cutTo, padTo, widthOf } from './width.ts';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** Minimum width in cells when cut. Unset: never cut, so that an id can be copied. */
  readonly min?: number;
  /** Maximum width in cells, also where the output is no terminal. Unset: as wide as its longest cell. */
  readonly max?: number;
  /** Styles a cell, after padding. */
  readonly style?: (text: string, row: T) => string;
}

const GAP = '  ';

/** Takes rows page by page; the first page determines the widths. */
export class Table<T> {
  readonly #columns: readonly Column<T>[];
  readonly #width: number;
  #widths: number[] | undefined;

  /** @param width Cells of a line; infinite if it is not a terminal. */
  constructor(columns: readonly Column<T>[], width: number) {
    this.#columns = columns;
    this.#width = width;
  }

  /** The lines for these rows; the first call also returns the titles. Empty for no rows. */
  lines(rows: readonly T[]): string[] {
    if (rows.length === 0) return [];
    const cells = rows.map((row) => this.#columns.map(({ value }) => printable(value(row))));
    const lines = rows.map((row) => ({ row, cells: cells.shift() ?? [] }));
    if (this.#widths !== undefined) return lines.map((line) => this.#line(line.cells, line.row));
    const titles = this.#columns.map(({ title }) => title);
    this.#widths = this.#measure([titles, ...lines.map((line) => line.cells)]);
    return [this.#line(titles), ...lines.map((line) => this.#line(line.cells, line.row))];
  }

  #measure(table: readonly (readonly string[])[]): number[] {
    const widths = this.#columns.map(({ max = Number.POSITIVE_INFINITY }, at) =>
      Math.min(
        max,
        table.reduce((most, line) => Math.max(most, widthOf(line[at] ?? '')), 0),
      ),
    );
    const gaps = GAP.length * (widths.length - 1);
    let excess = widths.reduce((sum, width) => sum + width, gaps) - this.#width;
    // The column with the most spare width shrinks first, cell by cell: narrow ones keep their width.
    while (excess > 0) {
      const spare = this.#columns.map(({ min }, at) => (min === undefined ? 0 : (widths[at] ?? 0) - min));
      const most = Math.max(...spare);
      if (most <= 0) break;
      const at = spare.indexOf(most);
      widths[at] = (widths[at] ?? 0) - 1;
      excess -= 1;
    }
    return widths;
  }

  #line(cells: readonly string[], row?: T): string {
    const last = this.#columns.length - 1;
    const shown = this.#columns.map(({ style }, at) => {
      const cut = cutTo(this.#widths?.[at] ?? 0, cells[at] ?? '');
      const padded = at === last ? cut : padTo(this.#widths?.[at] ?? 0, cut);
      return row !== undefined && style ? style(padded, row) : padded;
    });
    return shown.join(GAP).trimEnd();
  }
}
