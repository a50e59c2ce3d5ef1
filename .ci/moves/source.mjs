// What a source file consists of: statements, imports, names and tokens.

import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

export const isSource = (path) => /\.(ts|mts|mjs)$/.test(path);

/** A file with its tree. */
export class Source {
  constructor(path, text) {
    this.path = path;
    this.text = text;
    this.tree = parseAst(text, { lang: path.endsWith('.mjs') ? 'js' : 'ts' });
  }

  /** Imports and re-exports: statement and what it takes from where. */
  get imports() {
    return this.tree.body.filter(isImport);
  }

  /** One entry for each name that is imported or exported again. */
  entries() {
    return this.imports.flatMap((node) => entriesOf(this.path, node));
  }

  /** The top-level statement that declares the name. */
  declarationOf(name) {
    const node = this.tree.body.find((one) => namesDeclared(one).includes(name));
    if (!node) throw new Error(`${this.path} does not declare ${name}`);
    return node;
  }

  /** Names that the file declares at its top. */
  declared() {
    return this.tree.body.flatMap(namesDeclared);
  }

  /** Start of a statement with the comment directly above it. */
  startOf(node) {
    let start = this.text.lastIndexOf('\n', node.start - 1) + 1;
    for (;;) {
      const before = this.text.slice(0, start).replace(/\n$/, '');
      const line = before.slice(before.lastIndexOf('\n') + 1);
      if (!/^\s*(\/\/|\/\*|\*)/.test(line)) return start;
      start = before.length - line.length;
      if (start === 0) return 0;
    }
  }

  rangeOf(node) {
    return [this.startOf(node), node.end];
  }
}

function isImport(node) {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return true;
  return node.type === 'ExportNamedDeclaration' && node.source !== null && node.source !== undefined;
}

/** Where a specifier leads: a path of the checkout, or a package. */
export function targetOf(path, specifier) {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (specifier.startsWith('@muster/sdk/gen/'))
    return `sdk/typescript/src/${specifier.slice('@muster/sdk/'.length)}.ts`;
  return specifier;
}

function entriesOf(path, node) {
  const target = targetOf(path, node.source.value);
  if (node.type === 'ExportAllDeclaration')
    return [{ kind: 'export', target, name: '*', local: node.exported?.name ?? '*', type: node.exportKind === 'type' }];
  if (node.specifiers.length === 0) return [{ kind: 'import', target, name: '', local: '', type: false }];
  return node.specifiers.map((one) => {
    const isExport = node.type === 'ExportNamedDeclaration';
    const name = isExport
      ? one.local.name
      : (one.imported?.name ?? (one.type === 'ImportNamespaceSpecifier' ? '*' : 'default'));
    const local = isExport ? one.exported.name : one.local.name;
    const type =
      (isExport ? node.exportKind : node.importKind) === 'type' || (one.exportKind ?? one.importKind) === 'type';
    return { kind: isExport ? 'export' : 'import', target, name, local, type };
  });
}

function namesDeclared(node) {
  if (isImport(node)) return [];
  const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
  if (!declaration) return [];
  if (declaration.type === 'VariableDeclaration') return declaration.declarations.map(({ id }) => id.name);
  return declaration.id ? [declaration.id.name] : [];
}

/** Whether a statement declares a type and no value. */
export function isType(node) {
  return /^TS(Interface|TypeAlias)Declaration$/.test((node.declaration ?? node).type);
}

export function walk(node, visit, parent, key = '') {
  visit(node, parent, key);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (child && typeof child.type === 'string') walk(child, visit, node, name);
  }
}

/** Names that a statement uses: all identifiers but those of members. */
export function namesUsed(statement) {
  const names = new Set();
  walk(statement, (node, parent, key) => {
    if (node.type !== 'Identifier') return;
    const isMember = (key === 'property' || key === 'key') && !parent.computed && !parent.shorthand;
    if (!isMember && !(parent.type === 'TSQualifiedName' && key === 'right')) names.add(node.name);
  });
  return names;
}

/** Tokens of a piece of source with its comments, without the commas that a formatter sets before a closing bracket. */
export function tokensOf(text, lang = 'ts') {
  const literals = [];
  walk(parseAst(text, { lang }), (node) => {
    const isText =
      node.type === 'TemplateElement' || (node.type === 'Literal' && (typeof node.value === 'string' || node.regex));
    if (isText) literals.push([node.start, node.end]);
  });
  literals.sort(([a], [b]) => a - b);
  const tokens = [];
  let at = 0;
  for (const [start, end] of literals) {
    if (start < at) continue;
    tokens.push(...plainTokens(text.slice(at, start)), text.slice(start, end));
    at = end;
  }
  tokens.push(...plainTokens(text.slice(at)));
  return tokens.filter((token, index) => token !== ',' || !/^[)\]}>]$/.test(nextCode(tokens, index)));
}

function nextCode(tokens, index) {
  for (let at = index + 1; at < tokens.length; at++) if (!/^\/[/*]/.test(tokens[at])) return tokens[at];
  return '';
}

function plainTokens(text) {
  return (text.match(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|[\w$#]+|[^\s]/g) ?? []).map((token) => token.replaceAll(/\s+/g, ' '));
}
