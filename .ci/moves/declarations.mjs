// Moves declarations from file to file, and leads every import to where they are now.

import { posix } from 'node:path';
import { isSource, isType, namesUsed, Source } from './source.mjs';

/** Applies the moves to the texts of a tree, by path. */
export function moveDeclarations(texts, moves) {
  for (const move of moves) moveOne(texts, move);
  redirect(texts, moves);
  for (const path of new Set(moves.map(({ from }) => from))) {
    const { tree, imports } = new Source(path, textAt(texts, path));
    if (tree.body.length === imports.length) texts.delete(path);
  }
}

/** A moved declaration by the file and the name under which it was imported. */
const keyOf = (file, name) => `${file}#${name}`;

function moveOne(texts, { names, from, to, about }) {
  const source = new Source(from, textAt(texts, from));
  const nodes = [...new Set(names.map((name) => source.declarationOf(name)))].sort((a, b) => a.start - b.start);
  const left = withoutRanges(
    source.text,
    nodes.map((node) => source.rangeOf(node)),
  );
  const chunks = nodes.map((node) => exported(source, node));
  const rest = new Source(from, left);
  const restUses = usedIn(rest);
  const back = names.filter((name) => restUses.has(name)).map((name) => localImport(source, name, to));
  const target = new Source(to, texts.get(to) ?? (about ? `/** ${about} */\n` : ''));
  const targetNames = new Set([...target.declared(), ...names]);
  const uses = new Set(nodes.flatMap((node) => [...namesUsed(node)]));
  const known = source.entries().filter(({ kind }) => kind === 'import');
  const needed = [
    ...known.filter(({ local, target }) => uses.has(local) && !(target === to && targetNames.has(local))),
    ...source
      .declared()
      .filter((name) => uses.has(name) && !targetNames.has(name))
      .map((name) => localImport(source, name, from)),
  ];
  texts.set(
    from,
    withImports(rest, (entries) => [...entries.filter((entry) => isKept(entry, restUses, uses)), ...back]),
  );
  const grown = new Source(to, `${target.text}\n${chunks.join('\n\n')}\n`);
  texts.set(
    to,
    withImports(grown, (entries) => [
      ...entries.filter((entry) => !(entry.target === from && names.includes(entry.name))),
      ...needed,
    ]),
  );
}

/** An import that only what has left used goes with it. */
function isKept({ kind, local, name }, restUses, uses) {
  return kind === 'export' || name === '' || restUses.has(local) || !uses.has(local);
}

function localImport(source, name, target) {
  return { kind: 'import', target, name, local: name, type: isType(source.declarationOf(name)) };
}

function usedIn(source) {
  const statements = source.tree.body.filter((node) => !source.imports.includes(node));
  return new Set(statements.flatMap((node) => [...namesUsed(node)]));
}

/** A declaration with its comment, exported. */
function exported(source, node) {
  const [start, end] = source.rangeOf(node);
  const isExported = node.type === 'ExportNamedDeclaration';
  return source.text.slice(start, node.start) + (isExported ? '' : 'export ') + source.text.slice(node.start, end);
}

function withoutRanges(text, ranges) {
  return ranges.reduceRight(
    (left, [start, end]) => left.slice(0, start).replace(/\n+$/, '\n\n') + left.slice(end).replace(/^\n+/, ''),
    text,
  );
}

/** Leads imports of what was moved to its new file. */
function redirect(texts, moves) {
  const places = new Map(moves.flatMap(({ names, from, to }) => names.map((name) => [keyOf(from, name), to])));
  const placeOf = ({ target, name }) => places.get(keyOf(target, name)) ?? target;
  const stems = [...new Set(moves.map(({ from }) => posix.basename(from)))];
  for (const [path, text] of texts) {
    if (!isSource(path) || !stems.some((stem) => text.includes(stem))) continue;
    const source = new Source(path, text);
    if (!source.entries().some((entry) => placeOf(entry) !== entry.target)) continue;
    texts.set(
      path,
      withImports(source, (entries) =>
        entries.map((entry) => ({ ...entry, target: placeOf(entry) })).filter(({ target }) => target !== path),
      ),
    );
  }
}

/** The file with its imports written anew; exports from elsewhere stay where they are unless they change. */
function withImports(source, change) {
  const old = source.entries();
  const entries = change(old);
  if (JSON.stringify(old) === JSON.stringify(entries)) return source.text;
  const { text, imports } = source;
  const [first] = imports;
  const kept = commentsBetween(source);
  if (kept !== '') throw new Error(`${source.path} has comments between its imports: ${kept}`);
  const at = first ? first.start : endOfHeader(text);
  const end = imports.at(-1)?.end ?? at;
  const block = statementsOf(source.path, entries);
  return `${text.slice(0, at)}${block}${first ? '' : '\n'}${text.slice(end)}`
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd()
    .concat('\n');
}

function commentsBetween({ text, imports }) {
  return imports
    .slice(1)
    .map((node, index) => text.slice(imports[index].end, node.start))
    .join('')
    .trim();
}

/** The end of the comment that describes the file. */
function endOfHeader(text) {
  return /^(#![^\n]*\n)?(\/\*\*[\s\S]*?\*\/\n|(\/\/[^\n]*\n)+)?/.exec(text)[0].length;
}

function statementsOf(path, entries) {
  const groups = Map.groupBy(entries, ({ kind, target }) => `${kind} ${target}`);
  return [...groups.values()].map((group) => statementOf(path, group)).join('\n');
}

function statementOf(path, group) {
  const [{ kind, target }] = group;
  const specifier = specifierOf(path, target);
  const unique = [...new Map(group.map((entry) => [`${entry.name} ${entry.local}`, entry])).values()];
  const allTypes = unique.every(({ type }) => type);
  if (unique.some(({ name }) => name === '')) return `${kind} '${specifier}';`;
  const star = unique.find(({ name }) => name === '*');
  const word = allTypes ? `${kind} type` : kind;
  if (star) return `${word} *${star.local === '*' ? '' : ` as ${star.local}`} from '${specifier}';`;
  const fallback = unique.find(({ name, kind }) => name === 'default' && kind === 'import');
  const named = unique
    .filter((entry) => entry !== fallback)
    .map(
      ({ name, local, type }) => `${type && !allTypes ? 'type ' : ''}${name === local ? name : `${name} as ${local}`}`,
    );
  const parts = [fallback?.local, named.length > 0 ? `{ ${named.join(', ')} }` : undefined].filter(Boolean);
  return `${word} ${parts.join(', ')} from '${specifier}';`;
}

function specifierOf(path, target) {
  if (target.startsWith('sdk/typescript/src/gen/') && !path.startsWith('sdk/'))
    return `@muster/sdk/${target.slice('sdk/typescript/src/'.length, -3)}`;
  if (!/^(server|sdk|workers|test|\.ci)\//.test(target)) return target;
  const relative = posix.relative(posix.dirname(path), target);
  return relative.startsWith('.') ? relative : `./${relative}`;
}

function textAt(texts, path) {
  const text = texts.get(path);
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}
