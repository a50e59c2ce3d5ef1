/** The rules for files in folders, and for import cycles. */
import { posix } from 'node:path';
import { importsOf, type SourceFile } from './architecture.ts';

const MAX_FILES = 25;
/** Depth of folders below a layer: a capability, and one level in it. */
const MAX_DEPTH = 2;

/** A capability has the same name in every layer. */
const capabilities = [
  ...['jobs', 'dispatch', 'sessions', 'retries', 'definitions', 'queues', 'workflows', 'batches', 'signals'],
  ...['dependencies', 'schedules', 'triggers', 'explain', 'events', 'namespaces', 'upkeep', 'base'],
];

interface Divided {
  /** Files that may lie in the folder itself. */
  readonly files: readonly string[];
  /** Folders that are not capabilities. */
  readonly folders: readonly string[];
}

const divided: Readonly<Record<string, Divided>> = {
  'server/domain': { files: [], folders: [] },
  'server/engine': { files: ['replica.ts', 'announcer.ts', 'loop.ts'], folders: ['ports'] },
  'server/store': { files: ['store.ts', 'migrate.ts'], folders: ['driver', 'schema', 'transfer'] },
  'server/api': { files: ['service.ts'], folders: ['reference'] },
  'server/cli/commands': { files: [], folders: [] },
};

function placeFaults({ path }: SourceFile): string[] {
  if (!path.startsWith('server/')) return [];
  const faults: string[] = [];
  const depth = path.split('/').length - 3;
  if (depth > MAX_DEPTH) faults.push(`${path}: lies ${depth} folders below its layer, more than ${MAX_DEPTH}`);
  for (const [folder, { files, folders }] of Object.entries(divided)) {
    if (!path.startsWith(`${folder}/`)) continue;
    const [first = '', ...rest] = path.slice(folder.length + 1).split('/');
    if (rest.length === 0 && !files.includes(first)) faults.push(`${path}: belongs in the folder of its capability`);
    if (rest.length > 0 && !capabilities.includes(first) && !folders.includes(first))
      faults.push(`${path}: "${first}" is no capability`);
  }
  return faults;
}

function sizeFaults(files: readonly SourceFile[]): string[] {
  const folders = Map.groupBy(files, ({ path }) => posix.dirname(path));
  return [...folders]
    .filter(([, inside]) => inside.length > MAX_FILES)
    .map(([folder, inside]) => `${folder}: has ${inside.length} source files, more than ${MAX_FILES}`);
}

/** Groups of files that reach each other through imports, including types and `import()`. */
export function cyclesOf(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map((file) => [file.path, importsOf(file).flatMap(({ target }) => target ?? [])]));
  const index = new Map<string, number>();
  const open: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): number => {
    const own = index.size;
    index.set(path, own);
    open.push(path);
    let low = own;
    for (const target of imports.get(path) ?? []) {
      if (!imports.has(target)) continue;
      if (!index.has(target)) low = Math.min(low, visit(target));
      else if (open.includes(target)) low = Math.min(low, index.get(target) ?? own);
    }
    if (low === own) {
      const group = open.splice(open.indexOf(path));
      if (group.length > 1 || imports.get(path)?.includes(path)) cycles.push(group.sort());
    }
    return low;
  };
  for (const path of imports.keys()) if (!index.has(path)) visit(path);
  return cycles;
}

function cycleFaults(files: readonly SourceFile[]): string[] {
  return cyclesOf(files).map(([first, ...others]) => `${first}: is in a cycle with ${others.join(', ') || 'itself'}`);
}

/** Every violation of the rules for folders and cycles, one per line that begins with the path. */
export function structureFaults(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(placeFaults), ...sizeFaults(files), ...cycleFaults(files)];
}
