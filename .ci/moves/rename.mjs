// Renames identifiers as renames.json says, token by token, and proves it.
//
//   node .ci/moves/rename.mjs report         names that would collide, and strings that may quote an old name
//   node .ci/moves/rename.mjs apply          renames in this checkout
//   node .ci/moves/rename.mjs prove COMMIT   the renamed tokens of COMMIT are those of this checkout
//
// Renamed are identifiers (in strings only the expressions of templates, members that a type names, and what `quoted`
// lists), code in comments, and the snippets of planted bugs, by the map of the file that they are planted in. An entry
// that names a file comes before one with a pattern, and that before one without `files`. `columns` are not renamed behind
// the name of a row, nor where their types are; `fixes` are made after all else. The proof leaves out what a formatter
// changes: spaces, comments, commas and semicolons before a closing bracket, parentheses, the order of imports.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { root } from '../setup/paths.mjs';
import { tokensOf } from '../words/tokens.ts';
import { map, oldPathOf } from './paths.mjs';

const rowNames = ['row', 'locked', 'left', 'open', 'r'];
const sqlType =
  /^'(smallint|int|bigint|text|uuid|timestamptz|boolean|jsonb|json|bytea|interval|real|double precision|numeric)(\[\])?'$/;
const name = /(?<![\p{ID_Continue}$#])#?[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
const bare = (text) => text.replace(/^#/, '');
const snippets = /^test\/(simulation\/mutants|conformance\/planted)\//;
const leftOut = /\/gen\/|^\.ci\/(moves|words)\/|^test\/unit\/words\//;
const { renames, columns, quoted, fixes } = JSON.parse(readFileSync(new URL('renames.json', import.meta.url), 'utf8'));
const fixesOf = new Map(Object.entries(fixes).map(([path, some]) => [map.files[path] ?? path, some]));
const byName = Map.groupBy(renames, ({ from }) => from);
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });

const known = new Map();

/** What a name is called in a file from now on. */
function renamed(path, text) {
  const file = oldPathOf(path); // the map has the paths of before the layout
  const key = `${text} ${file}`;
  if (!known.has(key)) {
    const entries = byName.get(bare(text)) ?? [];
    const entry =
      entries.find(({ files }) => files?.includes(file)) ??
      entries.find(({ files }) => files?.some((glob) => matchesGlob(file, glob))) ??
      entries.find(({ files }) => !files);
    known.set(
      key,
      entry && !entry.except?.some((glob) => matchesGlob(file, glob))
        ? `${text[0] === '#' ? '#' : ''}${entry.to}`
        : text,
    );
  }
  return known.get(key);
}

const renamedIn = (file, text) => text.replace(name, (found) => renamed(file, found));

/** The text of a file, renamed; then its `fixes`, each of which applies once. */
function renamedText(file, source) {
  const text = renamedTokens(file, source)
    .map((token) => token.text)
    .join('');
  return (fixesOf.get(file) ?? []).reduce((before, { find, replace }) => {
    if (before.split(find).length !== 2) throw new Error(`${file} does not have once: ${find}`);
    return before.replace(find, () => replace);
  }, text);
}

/** The tokens of a file, renamed. */
function renamedTokens(file, source) {
  const tokens = tokensOf(source);
  const code = tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment');
  const places = new Map(code.map((token, i) => [token, i]));
  let target;
  return tokens.map((token) => ({ ...token, text: renamedToken(token) }));

  function renamedToken(token) {
    const { kind, text } = token;
    const i = places.get(token);
    if (kind === 'identifier') return isColumn(code, i) ? text : renamed(file, text);
    if (kind === 'comment') return text.replace(/`[^`\n]*`|\{@link [^}]*\}/g, (quoted) => renamedIn(file, quoted));
    if (kind !== 'string' && kind !== 'template') return text;
    if (!snippets.test(file)) return isMember(code, i) || isListed(file, text) ? renamedIn(file, text) : text;
    const isPath = /^['"`](server|sdk|workers)\/[^ ]*\.\w+['"`]$/.test(text);
    if (isPath) target = text.slice(1, -1);
    const isSnippet =
      target && !isPath && !(code[i - 1].text === ':' && /^(about|file|name|title)$/.test(code[i - 2]?.text));
    return isSnippet && /\.m?[tj]s$/.test(target) ? renamedIn(target, text) : text;
  }
}

/** Columns keep their names: behind the name of a row, and where their types are. */
function isColumn(code, i) {
  const { text } = code[i];
  if (!columns.includes(text)) return false;
  const isOfRow = /^\??\.$/.test(code[i - 1]?.text) && rowNames.includes(code[i - 2]?.text);
  return isOfRow || (code[i + 1]?.text === ':' && sqlType.test(code[i + 2]?.text));
}

/** A string in a type names a member: `Pick<A, 'member'>`, `A['member']`. */
function isMember(code, i) {
  if (code[i].kind !== 'string') return false;
  const isIndex = code[i - 1]?.text === '[' && code[i + 1]?.text === ']';
  if (isIndex) return /^(\]|>|[A-Z]\w*)$/.test(code[i - 2]?.text);
  let at = i;
  while (at > 0 && (code[at].kind === 'string' || code[at].text === '|')) at--;
  if (code[at].text !== ',') return false;
  for (let depth = 0; at > 0; at--) {
    if (code[at].text === '>') depth++;
    if (code[at].text === '<' && depth-- === 0) return /^(Pick|Omit)$/.test(code[at - 1]?.text);
  }
  return false;
}

const isListed = (file, text) => [...quoted['*'], ...(quoted[file] ?? [])].includes(text.slice(1, -1));

function files(commit) {
  const patterns = ['*.ts', '*.mts', '*.mjs'];
  const listed = commit ? git('ls-tree', '-r', '--name-only', commit) : git('ls-files', ...patterns);
  return listed.split('\n').filter((file) => /\.m?[tj]s$/.test(file) && !leftOut.test(file));
}

const read = (file) => readFileSync(join(root, file), 'utf8');

function report() {
  let collisions = 0;
  for (const file of files()) {
    const tokens = tokensOf(read(file));
    const names = new Map();
    for (const { kind, text } of tokens) if (kind === 'identifier') names.set(text, renamed(file, text));
    const used = Map.groupBy(names.keys(), (text) => names.get(text));
    for (const [to, froms] of used) {
      if (froms.length < 2) continue;
      collisions++;
      console.log(`collision  ${file}: ${froms.join(', ')} -> ${to}`);
    }
    const isQuoted = (text) => renamed(file, text) !== text;
    const after = renamedTokens(file, read(file));
    for (const [i, { kind, text, start }] of tokens.entries()) {
      if (after[i].text !== text || /^['"`]\.+\//.test(text)) continue;
      if (snippets.test(file) || (kind !== 'string' && kind !== 'template')) continue;
      const inside = text.slice(1, -1);
      const isSql = /\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|AS|SET)\b/.test(inside);
      const found =
        isSql || !inside.includes(' ') ? [...inside.matchAll(name)].map(([one]) => one).filter(isQuoted) : [];
      if (found.length === 0) continue;
      const line = read(file).slice(0, start).split('\n').length;
      console.log(
        `${isSql ? 'sql   ' : 'quoted'}     ${file}:${line}: ${[...new Set(found)].join(', ')}${isSql ? '' : `  ${text}`}`,
      );
    }
  }
  console.log(`${renames.length} renames, ${collisions} collisions`);
}

function apply() {
  let changed = 0;
  for (const file of files()) {
    const source = read(file);
    const text = renamedText(file, source);
    if (text === source) continue;
    writeFileSync(join(root, file), text);
    changed++;
  }
  console.log(`${changed} files changed`);
}

/** The tokens that a formatter leaves alone; those of imports sorted. */
function essence(tokens) {
  const found = tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment').map(({ text }) => text);
  const isDropped = (text, i) =>
    /^[()]$/.test(text) ||
    (/^[,;]$/.test(text) && /^[)\]}>]$/.test(found[i + 1] ?? '')) ||
    (text === '|' && /^[(:=<,]$/.test(found[i - 1] ?? ''));
  const kept = found.filter((text, i) => !isDropped(text, i));
  const result = [];
  for (let i = 0; i < kept.length; i++) {
    const end = /^(import|export)$/.test(kept[i]) ? kept.indexOf('from', i) : -1;
    const isImport =
      end > 0 && /^(\{|type|\*|[\w$]+)$/.test(kept[i + 1]) && !kept.slice(i, end).some((text) => /^[;=(:]$/.test(text));
    if (!isImport) result.push(kept[i]);
    else {
      result.push(
        kept
          .slice(i, end + 2)
          .filter((text) => text !== ',')
          .sort()
          .join(' '),
      );
      i = end + 1;
    }
  }
  // Imports may change their order too.
  return [
    ...result.filter((text) => /(^| )from /.test(text)).sort(),
    ...result.filter((text) => !/(^| )from /.test(text)),
  ];
}

function prove(commit) {
  const wrong = files(commit).filter((file) => {
    const before = essence(tokensOf(renamedText(file, git('show', `${commit}:${file}`))));
    const after = essence(tokensOf(read(file)));
    const at = before.findIndex((text, i) => text !== after[i]);
    if (at < 0 && before.length === after.length) return false;
    console.error(`${file}: ${before.slice(at, at + 8).join(' ')} | ${after.slice(at, at + 8).join(' ')}`);
    return true;
  });
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${files(commit).length} files have the renamed tokens of ${commit}`);
}

const [command, commit = 'HEAD'] = process.argv.slice(2);
if (command === 'report') report();
else if (command === 'apply') apply();
else if (command === 'prove') prove(commit);
else throw new Error('report, apply or prove');
