/** Compares the rows that statements return with the rows that they declare. */
import pg from 'pg';
import type { Database, Session, Statement } from '../../../server/store/driver/database.ts';
import type { RowType } from '../../../server/store/driver/row-types.ts';

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number';
const isBoolean = (value: unknown) => typeof value === 'boolean';

/** Whether a driver's value is of the type that `row-types.ts` gives the column. JSON may be anything. */
const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
  bool: isBoolean,
  bytea: (value) => value instanceof Uint8Array,
  float8: isNumber,
  int2: isNumber,
  int4: isNumber,
  int8: isNumber,
  json: () => true,
  jsonb: () => true,
  name: isText,
  numeric: isText,
  text: isText,
  timestamptz: isNumber,
  uuid: isText,
  void: isText,
};

function fits(type: string, value: unknown): boolean {
  if (type.endsWith('?')) return value === null || fits(type.slice(0, -1), value);
  if (type.endsWith('[]')) return Array.isArray(value) && value.every((item) => fits(type.slice(0, -2), item));
  return checks[type]?.(value) ?? false;
}

/** Adds what is wrong with a row, if anything is. */
function noteFault({ name, text, row: declared = {} }: Statement, row: object, faults: Set<string>): void {
  const title = name || text;
  for (const column of Object.keys(row)) if (!(column in declared)) faults.add(`${title} does not declare ${column}`);
  for (const [column, type] of Object.entries(declared)) {
    const value = (row as Record<string, unknown>)[column];
    if (!fits(type, value)) faults.add(`${title} declares ${column} as ${type} and returns ${value}`);
  }
}

/** SQL that a test has written itself, and whose rows it knows. */
const isOfTest = ({ name, row }: Statement) => name === '' && row === undefined;

/** A database that adds to `faults` each row that differs from its statement's declaration. Nothing runs later for it. */
export function checkRows(database: Database, faults: Set<string>): Database {
  const checked = (inner: Session): Session => ({
    run(statement, parameters) {
      const answer = inner.run(statement, parameters);
      if (!isOfTest(statement)) {
        const check = (rows: readonly object[]) => {
          for (const row of rows) noteFault(statement, row, faults);
        };
        answer.then(check, () => {});
      }
      return answer;
    },
  });
  return {
    ...checked(database),
    transaction: (work) => database.transaction((session) => work(checked(session))),
    script: (text) => database.script(text),
    ...(database.maintain && { maintain: database.maintain }),
    noteDeleted: (table, rows) => database.noteDeleted?.(table, rows),
    close: () => database.close(),
  };
}

type Field = { readonly name: string; readonly dataTypeID: number };

/** Asks PostgreSQL for a statement's columns, without running it. */
class Description {
  #fields: readonly Field[] = [];
  readonly #text: string;
  readonly #done = Promise.withResolvers<readonly Field[]>();

  constructor(text: string) {
    this.#text = text;
  }

  get fields(): Promise<readonly Field[]> {
    return this.#done.promise;
  }

  /** Called by `pg`, as are the handlers. */
  submit(connection: pg.Connection): void {
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#fields = fields;
  }

  handleReadyForQuery(): void {
    this.#done.resolve(this.#fields);
  }

  handleError(error: Error): void {
    this.#done.reject(error);
  }
}

const shortName = (type: string) => (type.startsWith('_') ? `${type.slice(1)}[]` : type);

/** The columns of each statement with their types, as PostgreSQL describes them. Whether they may be NULL is unknown. */
export async function describeRows(
  url: string,
  statements: Iterable<Statement>,
): Promise<Record<string, Record<string, string>>> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=muster' });
  await client.connect();
  try {
    const { rows } = await client.query<{ oid: number; typname: string }>('SELECT oid, typname FROM pg_type');
    const types = new Map(rows.map(({ oid, typname }) => [oid, shortName(typname)]));
    const found: Record<string, Record<string, string>> = {};
    for (const { name, text } of statements) {
      const description = client.query(new Description(text) as never) as unknown as Description;
      const fields = await description.fields;
      found[name] = Object.fromEntries(fields.map((field) => [field.name, types.get(field.dataTypeID) ?? 'unknown']));
    }
    return found;
  } finally {
    await client.end();
  }
}

/** A declaration without what PostgreSQL does not describe. */
export function withoutNulls(row: RowType = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(row).map(([column, type]) => [column, type.replaceAll('?', '')]));
}
