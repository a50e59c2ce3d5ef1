// Proves the checkout: it is the tree of a commit with the moves of map.json, token for token; see README.md.
//
//   node .ci/moves/prove.mjs COMMIT

import { Moves, map } from './paths.mjs';
import { isSource, namesUsed, Source, tokensOf } from './source.mjs';
import { checkout, commit } from './tree.mjs';

const [id] = process.argv.slice(2);
if (id === undefined) throw new Error('name the commit before the moves');

const TOOL = /^\.ci\/moves\//;
const old = commit(id);
const now = checkout();
const moves = new Moves(old.keys());
const faults = [];
const counts = { files: 0, moved: 0, dropped: 0, declarations: 0, tokens: 0, imports: 0, words: 0 };
/** Files of the new tree with what each consists of, from the old tree. */
const expected = new Map();

for (const [path, text] of old) {
  if (TOOL.test(path)) continue;
  if (moves.isReplaced(path)) {
    if (old.get(moves.to(path)) !== text) faults.push(`${path} is not the same as ${moves.to(path)}`);
    counts.dropped += 1;
    continue;
  }
  const to = moves.to(path);
  if (to !== path) counts.moved += 1;
  expected.set(to, {
    source: isSource(path) ? new Source(to, moves.textOf(path, text)) : undefined,
    text: moves.textOf(path, text),
  });
}
for (const path of now.keys())
  if (!TOOL.test(path) && !expected.has(path) && !map.declarations.some(({ to }) => to === path))
    faults.push(`${path} is new`);

/** What each file gives away and gets, by declarations. */
const placeOf = new Map(
  map.declarations.flatMap(({ names, from, to }) => names.map((name) => [`${from}#${name}`, to])),
);
const incoming = Map.groupBy(map.declarations, ({ to }) => to);
const outgoing = Map.groupBy(map.declarations, ({ from }) => from);
for (const path of new Set([...expected.keys(), ...incoming.keys()])) compare(path);

for (const fault of [...moves.problems, ...faults]) console.error(fault);
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', '),
);
console.log(faults.length === 0 ? `proved: this is ${id} with the moves of the map` : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

function compare(path) {
  const text = now.get(path);
  const before = expected.get(path);
  if (text === undefined) {
    if (
      !outgoing.has(path) ||
      expectedPieces(path, before)
        .flatMap((piece) => tokensOf(piece))
        .some((token) => !/^\/[/*]/.test(token))
    )
      faults.push(`${path} is not there`);
    return;
  }
  counts.files += 1;
  if (!isSource(path)) return compareLists(path, before.text.split(/\s+/), text.split(/\s+/), 'words');
  const source = new Source(path, text);
  const lang = path.endsWith('.mjs') ? 'js' : 'ts';
  compareLists(
    path,
    expectedPieces(path, before).flatMap((piece) => tokensOf(piece, lang)),
    tokensOf(withoutImports(source), lang),
    'tokens',
  );
  compareImports(path, before, source);
}

function compareLists(path, wanted, found, kind) {
  counts[kind] += found.length;
  const at = wanted.findIndex((token, index) => token !== found[index]);
  if (at < 0 && wanted.length === found.length) return;
  const where = at < 0 ? wanted.length : at;
  faults.push(
    `${path}: wanted ${wanted.slice(where, where + 8).join(' ')}, found ${found.slice(where, where + 8).join(' ')}`,
  );
}

/** The code of a file after the moves, without imports: what stays, then what comes, in the order of the map. */
function expectedPieces(path, before) {
  const gone = (outgoing.get(path) ?? []).flatMap(({ names }) => nodesOf(before.source, names));
  const stays = before
    ? cut(before.source, [
        ...before.source.imports.map((node) => [node.start, node.end]),
        ...gone.map((node) => before.source.rangeOf(node)),
      ])
    : '';
  const comes = (incoming.get(path) ?? []).flatMap(({ names, from, about }) => {
    const { source } = expected.get(from);
    const nodes = nodesOf(source, names);
    counts.declarations += names.length;
    const chunks = nodes.map((node) => {
      const [start, end] = source.rangeOf(node);
      return (
        source.text.slice(start, node.start) +
        (node.type === 'ExportNamedDeclaration' ? '' : 'export ') +
        source.text.slice(node.start, end)
      );
    });
    return about && !before ? [`/** ${about} */`, ...chunks] : chunks;
  });
  return [stays, ...comes];
}

function nodesOf(source, names) {
  return [...new Set(names.map((name) => source.declarationOf(name)))].sort((a, b) => a.start - b.start);
}

function withoutImports(source) {
  return cut(
    source,
    source.imports.map((node) => [node.start, node.end]),
  );
}

function cut({ text }, ranges) {
  return ranges
    .sort(([a], [b]) => b - a)
    .reduce((left, [start, end]) => `${left.slice(0, start)}\n${left.slice(end)}`, text);
}

/** Each import leads to the same thing as before; the imports of a declaration came with it, and no others. */
function compareImports(path, before, source) {
  const keyOf = ({ kind, target, name, local }) =>
    `${kind} ${placeOf.get(`${target}#${name}`) ?? target} ${name} as ${local}`;
  const found = new Set(source.entries().map(keyOf));
  counts.imports += found.size;
  const own = before ? before.source.entries() : [];
  const givers = [
    ...(incoming.get(path) ?? []).map(({ from }) => expected.get(from).source),
    ...(outgoing.has(path) ? [before.source] : []),
  ];
  const came = givers.flatMap((giver) => [
    ...giver.entries(),
    ...giver.declared().map((name) => ({ kind: 'import', target: giver.path, name, local: name })),
  ]);
  const allowed = new Set([...own, ...came].map(keyOf));
  for (const one of found) if (!allowed.has(one)) faults.push(`${path}: new ${one}`);
  const uses = new Set(source.tree.body.flatMap((node) => [...namesUsed(node)]));
  const isNeeded = (entry) =>
    entry.kind === 'export' ||
    entry.name === '' ||
    !(outgoing.has(path) || incoming.has(path)) ||
    uses.has(entry.local);
  for (const entry of own) {
    const led = placeOf.get(`${entry.target}#${entry.name}`) ?? entry.target;
    if (!found.has(keyOf(entry)) && led !== path && isNeeded(entry)) faults.push(`${path}: lost ${keyOf(entry)}`);
  }
}
