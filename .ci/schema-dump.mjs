// Prints the schema that the scripts of a folder create, in a normal form: tables, columns, constraints, indexes in order of
// creation, functions, and the initial number of rows of each table. Folders with the same output create the same schema.
//
//   node .ci/setup.mjs -- node .ci/schema-dump.mjs server/store/schema

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

/** All .sql files, subfolders first, each folder in order of file names. */
function scripts(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const folders = entries.filter((entry) => entry.isDirectory());
  const files = entries.filter(({ name }) => name.endsWith('.sql'));
  return [
    ...folders.flatMap(({ name }) => scripts(join(folder, name))),
    ...files.map(({ name }) => join(folder, name)),
  ];
}

const TABLES = `
SELECT c.oid, c.relname AS name, c.relkind AS kind, pg_get_partkeydef(c.oid) AS key, pg_get_expr(c.relpartbound, c.oid) AS bound,
       c.reloptions AS options, t.reloptions AS toast_options
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.relnamespace = 'muster'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v') ORDER BY c.relname`;
const COLUMNS = `
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS value,
       a.attidentity AS identity, a.attgenerated AS generated, a.attstorage AS storage, a.attstattarget AS statistics
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
const CONSTRAINTS = `
SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n' ORDER BY conname`;
const INDEXES = `
SELECT pg_get_indexdef(c.oid) AS text, c.reloptions AS options
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1 ORDER BY c.oid`;
const FUNCTIONS = `
SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE pronamespace = 'muster'::regnamespace ORDER BY 1`;

const database = new PGlite('memory://');
const rows = async (text, values = []) => (await database.query(text, values)).rows;
const print = (...parts) => console.log(parts.map((part) => JSON.stringify(part)).join(' '));

await database.exec('CREATE SCHEMA muster; SET search_path TO muster');
for (const file of scripts(process.argv[2])) await database.exec(readFileSync(file, 'utf8'));
for (const { oid, name, kind, options, toast_options: toast, ...rest } of await rows(TABLES)) {
  print('table', name, kind, rest, options?.sort() ?? null, toast?.sort() ?? null);
  for (const column of await rows(COLUMNS, [oid])) print('column', name, column);
  for (const constraint of await rows(CONSTRAINTS, [oid])) print('constraint', name, constraint);
  for (const index of await rows(INDEXES, [oid])) print('index', name, index);
  if (kind === 'r') print('rows', name, (await rows(`SELECT count(*) FROM ${name}`))[0]);
}
for (const { text } of await rows(FUNCTIONS)) print('function', text);
await database.close();
