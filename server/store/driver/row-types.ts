/**
 * The declared types of the rows that statements return. A declaration is a value, so that a test compares it with what
 * PostgreSQL reports of the statement; the program reads no more than the names of the columns.
 */

/** What both drivers make of a column, by PostgreSQL's short name of its type. */
interface ColumnTypes {
  bool: boolean;
  bytea: Uint8Array;
  float8: number;
  int2: number;
  int4: number;
  /** Exact up to 2^53. */
  int8: number;
  /** Parsed: what it holds is up to the statement that wrote it. */
  json: unknown;
  jsonb: unknown;
  name: string;
  /** As text. */
  numeric: string;
  text: string;
  /** Microseconds since 1970. */
  timestamptz: number;
  uuid: string;
  /** Of a function called for its effect: empty text. */
  void: string;
  'bool[]': boolean[];
  'int2[]': number[];
  'int4[]': number[];
  'uuid[]': string[];
  /** Elements may be NULL. */
  'int2?[]': (number | null)[];
  'text?[]': (string | null)[];
}

type ColumnType = keyof ColumnTypes;

/** Each column of a row with its type. `?`: may be NULL. */
export type RowType = Readonly<Record<string, ColumnType | `${ColumnType}?`>>;

type ValueOf<Column> = Column extends `${infer Type extends ColumnType}?`
  ? ColumnTypes[Type] | null
  : Column extends ColumnType
    ? ColumnTypes[Column]
    : never;

/** A row whose columns are declared as `Declared`. */
export type RowWith<Declared> = { readonly [Column in keyof Declared]: ValueOf<Declared[Column]> };

/** A row of the statement. Without a declaration it has no column. */
export type RowOf<S> = S extends { readonly row: infer Declared } ? RowWith<Declared> : Record<never, never>;

/**
 * A row whose columns, all or these, hold no NULL: for what the database ensures but a declaration can't say, such as
 * columns that are NULL together.
 */
export type Filled<Row, Columns extends keyof Row = keyof Row> = {
  readonly [Column in keyof Row]: Column extends Columns ? NonNullable<Row[Column]> : Row[Column];
};

type Nullable<Column> = Column extends ColumnType ? `${Column}?` : Column;

/** The same columns where an outer join may find no row: each may be NULL. */
export function outerJoined<const Declared extends RowType>(
  row: Declared,
): { readonly [Column in keyof Declared]: Nullable<Declared[Column]> } {
  const nullable = Object.entries(row).map(([column, type]) => [column, type.endsWith('?') ? type : `${type}?`]);
  return Object.fromEntries(nullable);
}
