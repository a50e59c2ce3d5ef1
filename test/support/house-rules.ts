/** Who may import what: the layers of the server, the SDK apart from it, and the habits of every file. */
import {
  globalsOf,
  hasDefaultExport,
  type Import,
  importsOf,
  reachablePackages,
  type SourceFile,
} from './architecture.ts';

const MAX_LINES = 400;

interface Layer {
  /** Layers of the server that it may import. */
  readonly to: readonly string[];
  /** Whether it may import the engine's ports and types. */
  readonly ports?: boolean;
  /** Packages: names, or names with what may be taken from them. A name that ends in "*" stands for all that begin so. */
  readonly packages: readonly (string | { readonly name: string; readonly only: readonly string[] })[];
}

const NODE = 'node:*';

/** Modules that wire the layers together; they may import everything. */
const wiring = ['main.ts', 'transfer.ts'];

/** What is not here is refused. */
const layers: Readonly<Record<string, Layer>> = {
  domain: { to: ['domain'], packages: ['@bufbuild/cel', 'croner'] },
  engine: { to: ['domain', 'engine'], packages: [{ name: 'node:crypto', only: ['createHash'] }] },
  store: { to: ['store', 'domain'], ports: true, packages: [NODE, 'pg', '@electric-sql/pglite'] },
  bus: { to: ['bus', 'domain', 'gen', 'wire'], ports: true, packages: [NODE, '@nats-io/*', '@bufbuild/protobuf*'] },
  api: {
    to: ['api', 'domain', 'gen', 'wire'],
    ports: true,
    packages: [NODE, '@grpc/grpc-js', 'grpc-health-check', '@connectrpc/*', '@bufbuild/protobuf*'],
  },
  schemas: { to: ['schemas', 'domain'], ports: true, packages: [NODE, 'ajv/*', '@bufbuild/protobuf*'] },
  telemetry: { to: ['telemetry', 'domain'], ports: true, packages: [NODE, '@opentelemetry/*'] },
  wire: { to: ['wire', 'domain', 'gen'], ports: true, packages: ['@bufbuild/protobuf*'] },
  simulate: {
    to: ['simulate', 'domain', 'engine', 'store', 'api', 'gen'],
    packages: [NODE, 'pg', '@electric-sql/pglite', '@bufbuild/protobuf*'],
  },
  conformance: {
    to: ['conformance', 'domain', 'bus', 'gen'],
    ports: true,
    packages: [NODE, '@grpc/grpc-js', '@nats-io/*', '@bufbuild/protobuf*'],
  },
  cli: {
    to: ['cli', 'domain', 'root', 'main', 'simulate', 'conformance', 'exec', 'telemetry'],
    packages: [NODE, 'commander', 'cli-progress', 'yaml', '@bufbuild/protobuf*', '@muster/sdk/grpc'],
  },
  exec: { to: ['exec', 'domain'], packages: [NODE, '@muster/sdk'] },
  root: { to: ['root', 'domain'], ports: true, packages: [NODE, 'zod', 'pino'] },
};

/** Modules of the engine that others may take values from; of the others only types. */
const ports = ['errors', 'messages', 'ports', 'store-port'].map((name) => `server/engine/${name}.ts`);

/** What would make a decision depend on more than what it is given. */
const impure = new Set([
  'Date',
  'Math.random',
  'performance',
  'process',
  'crypto',
  'globalThis',
  'console',
  'fetch',
  'Intl',
  'Temporal',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'require',
]);

/** What the command runs as a worker is a layer, too, though it lies beside the other workers. */
const EXEC = 'workers/exec/';

function layerOf(path: string): string | undefined {
  if (path.startsWith(EXEC)) return 'exec';
  const [, layer, ...rest] = path.split('/');
  if (!path.startsWith('server/') || layer === undefined) return undefined;
  if (rest.length > 0) return layer;
  return wiring.includes(layer) ? 'main' : 'root';
}

function allowsPackage(layer: Layer, { specifier, names }: Import): boolean {
  return layer.packages.some((rule) => {
    const name = typeof rule === 'string' ? rule : rule.name;
    const fits = name.endsWith('*') ? specifier.startsWith(name.slice(0, -1)) : specifier === name;
    return fits && (typeof rule === 'string' || names.every((one) => rule.only.includes(one)));
  });
}

function allows(layer: Layer, found: Import): boolean {
  if (found.target === undefined) return allowsPackage(layer, found);
  const target = layerOf(found.target);
  if (target === undefined) return false;
  if (layer.to.includes(target)) return true;
  return target === 'engine' && layer.ports === true && (found.typeOnly || ports.includes(found.target));
}

function layerFaults(file: SourceFile): string[] {
  const name = layerOf(file.path);
  if (name === undefined || name === 'main') return [];
  const layer = layers[name];
  if (!layer) return [`${file.path}: "${name}" is no layer of the house; give it a rule`];
  const faults = importsOf(file)
    .filter((found) => !allows(layer, found))
    .map(({ specifier, names }) => `${file.path}: ${name} may not import ${specifier} (${names.join(', ')})`);
  if (name !== 'domain') return faults;
  return faults.concat(globalsOf(file, impure).map((used) => `${file.path}: a decision may not use ${used}`));
}

const forbiddenInCore = /^(node:|@grpc\/|@nats-io\/|nats)/;

/** The SDK stands alone; the core of its worker runs wherever JavaScript does. */
function sdkFaults(file: SourceFile, files: readonly SourceFile[]): string[] {
  if (!file.path.startsWith('sdk/typescript/')) return [];
  const faults = importsOf(file)
    .filter(({ target }) => target !== undefined && !target.startsWith('sdk/typescript/'))
    .map(({ specifier }) => `${file.path}: the SDK may not import ${specifier}`);
  if (!file.path.startsWith('sdk/typescript/src/worker/core/')) return faults;
  const direct = importsOf(file).map(({ specifier }) => [specifier, file.path] as const);
  const needed = new Map([...reachablePackages(file, files), ...direct]);
  for (const [specifier, way] of needed) {
    if (forbiddenInCore.test(specifier)) faults.push(`${way}: the worker's core may not import ${specifier}`);
  }
  return faults;
}

function habitFaults(file: SourceFile): string[] {
  const faults: string[] = [];
  const lines = file.text.split('\n').length - 1;
  if (lines > MAX_LINES) faults.push(`${file.path}: has ${lines} lines, more than ${MAX_LINES}: split it`);
  if (hasDefaultExport(file)) faults.push(`${file.path}: has a default export`);
  return faults;
}

/** Everything that breaks a rule, each in a line that begins with the file. */
export function houseFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...layerFaults(file), ...sdkFaults(file, files), ...habitFaults(file)]);
}
