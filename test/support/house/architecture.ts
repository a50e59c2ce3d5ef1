/** Reads the imports and globals of source files, and reports violations of the import rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

export interface SourceFile {
  /** Path relative to the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path relative to the checkout for our own files; undefined for packages. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
  /** Imported names; "*" for all. */
  readonly names: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: nodes of a syntax tree, distinguished by their `type`
type Node = any;

/** Source files below the folders, except generated and installed ones. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(posix.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
      .map((entry) => posix.relative(root, posix.join(entry.parentPath, entry.name)))
      .filter((path) => !/(^|\/)(gen|node_modules)\//.test(path))
      .map((path) => ({ path, text: readFileSync(posix.join(root, path), 'utf8') })),
  );
}

const trees = new WeakMap<SourceFile, Node>();

function treeOf(file: SourceFile): Node {
  let tree = trees.get(file);
  if (!tree) {
    tree = parseAst(file.text, { lang: file.path.endsWith('.ts') ? 'ts' : 'js' });
    trees.set(file, tree);
  }
  return tree;
}

/** Calls `visit` for each node with its parent and the parent's key for it. */
function walk(node: Node, visit: (node: Node, parent: Node, key: string) => void, parent?: Node, key = ''): void {
  visit(node, parent, key);
  eachChild(node, (child, name) => walk(child, visit, node, name));
}

function eachChild(node: Node, visit: (child: Node, key: string) => void): void {
  for (const [name, value] of Object.entries(node as Record<string, Node>)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child.type === 'string') visit(child, name);
    }
  }
}

const found = new WeakMap<SourceFile, readonly Import[]>();

/** Static and dynamic imports, re-exports, types of `import('...')`, and files in `new URL('./x', import.meta.url)`. */
export function importsOf(file: SourceFile): readonly Import[] {
  const known = found.get(file) ?? readImports(file);
  found.set(file, known);
  return known;
}

function readImports(file: SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: unknown, typeOnly: boolean, names: readonly string[]) => {
    if (typeof specifier !== 'string') found.push({ specifier: '(computed)', target: undefined, typeOnly, names });
    else found.push({ specifier, target: targetOf(file.path, specifier), typeOnly, names });
  };
  walk(treeOf(file), (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        return add(node.source.value, isTypeOnly(node.importKind, node.specifiers), node.specifiers.map(nameOf));
      case 'ExportNamedDeclaration':
        if (node.source)
          add(node.source.value, isTypeOnly(node.exportKind, node.specifiers), node.specifiers.map(nameOf));
        return;
      case 'ExportAllDeclaration':
        return add(node.source.value, node.exportKind === 'type', ['*']);
      case 'ImportExpression':
        return add(node.source.value, false, ['*']);
      case 'TSImportType':
        return add((node.source ?? node.argument)?.value ?? (node.argument?.literal?.value as unknown), true, ['*']);
      case 'NewExpression': {
        const file = node.callee.name === 'URL' ? textOf(node.arguments[0]) : '';
        if (/\.(ts|js)$/.test(file)) add(file, false, ['*']);
      }
    }
  });
  return found;
}

/** The text of a literal. In a template, an expression is assumed to be the extension of a file. */
function textOf(node: Node): string {
  if (node?.type !== 'TemplateLiteral') return String(node?.value);
  return node.quasis.map((part: Node) => part.value.raw).join('ts');
}

function isTypeOnly(kind: string | undefined, specifiers: readonly Node[]): boolean {
  if (kind === 'type') return true;
  return specifiers.length > 0 && specifiers.every((one) => (one.importKind ?? one.exportKind) === 'type');
}

function nameOf(specifier: Node): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  return (specifier.imported ?? specifier.local).name;
}

function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
}

/** Globals that a file uses. Members of `Math` and the like are named as in `Math.random`. */
export function globalsOf(file: SourceFile, forbidden: ReadonlySet<string>): string[] {
  const used = new Set<string>();
  walk(treeOf(file), (node, parent, key) => {
    if (node.type !== 'Identifier') return;
    // One node is both key and value of a shorthand property.
    const isName = (key === 'property' || key === 'key') && !parent.computed && !parent.shorthand;
    if (isName) return;
    // A Date from a given time does not read the clock.
    if (node.name === 'Date' && parent.type === 'NewExpression' && key === 'callee' && parent.arguments.length > 0)
      return;
    const member =
      parent?.type === 'MemberExpression' && key === 'object'
        ? `${node.name}.${parent.property.name ?? parent.property.value}`
        : '';
    for (const name of [node.name, member]) if (forbidden.has(name)) used.add(name);
  });
  return [...used];
}

/** Names of the declared functions that call a method of this name, one for each call. */
export function callersOf(file: SourceFile, method: string): string[] {
  const callers: string[] = [];
  const visit = (node: Node, caller: string): void => {
    if (node.type === 'CallExpression' && (node.callee.property?.name ?? node.callee.property?.value) === method)
      callers.push(caller);
    eachChild(node, (child) => visit(child, functionNameOf(node) ?? caller));
  };
  visit(treeOf(file), '');
  return callers;
}

/** Of the function or method that the node declares; undefined if it declares none. */
function functionNameOf(node: Node): string | undefined {
  if (node.type === 'FunctionDeclaration') return node.id.name;
  const value = node.value ?? node.init;
  return /^(Arrow)?Function/.test(value?.type) ? (node.key ?? node.id).name : undefined;
}

export function hasDefaultExport(file: SourceFile): boolean {
  return treeOf(file).body.some(
    (node: Node) =>
      node.type === 'ExportDefaultDeclaration' ||
      (node.type === 'ExportNamedDeclaration' && node.specifiers.some((one: Node) => one.exported.name === 'default')),
  );
}

/** Packages that a file needs, directly or through our own files, without types, each with the path to it. */
export function reachablePackages(file: SourceFile, files: readonly SourceFile[]): Map<string, string> {
  const byPath = new Map(files.map((one) => [one.path, one]));
  const found = new Map<string, string>();
  const seen = new Set<string>([file.path]);
  const queue: { file: SourceFile; way: string }[] = [{ file, way: file.path }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const { specifier, target, typeOnly } of importsOf(next.file)) {
      if (typeOnly) continue;
      if (target === undefined) found.set(specifier, found.get(specifier) ?? next.way);
      const child = target === undefined || seen.has(target) ? undefined : byPath.get(target);
      if (!child) continue;
      seen.add(child.path);
      queue.push({ file: child, way: `${next.way} > ${child.path}` });
    }
  }
  return found;
}
