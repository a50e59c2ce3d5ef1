/** The import rules: the layers of the server, the independence of the SDK, and rules for every file. */
import {
  callersOf,
  globalsOf,
  hasDefaultExport,
  type Import,
  importsOf,
  reachablePackages,
  type SourceFile,
} from './architecture.ts';

const MAX_LINES = 400;
/** Wires the parts that each capability makes in its `create.ts`, and does nothing else. */
const WIRING = 'server/engine/replica.ts';
const MAX_WIRING_LINES = 120;

interface Layer {
  /** Layers of the server that it may import. */
  readonly to: readonly string[];
  /** Layers from which it may import types. */
  readonly types?: readonly string[];
  /** Folders of other layers that it may import. */
  readonly parts?: readonly string[];
  /** Packages by name, or by name with the allowed imports. A final "*" matches any rest. */
  readonly packages: readonly (string | { readonly name: string; readonly only: readonly string[] })[];
}

const NODE = 'node:*';
/** Code generated from the contract. */
const GENERATED = '@muster-jobs/sdk/gen/*';
const PURE_PARTS = 'server/domain/base/';

/** Folders that are layers themselves. */
const PORTS = 'engine/ports';
const CONFORMANCE = 'tools/conformance';
const SIMULATE = 'tools/simulate';
const inner = [PORTS, CONFORMANCE, SIMULATE];

/** Modules that wire the layers together. */
const wiring = ['embedded.ts', 'main.ts', 'location.ts', 'transfer.ts', 'migrate.ts', 'verify.ts'];

/** Layers that are not listed are refused. */
const layers: Readonly<Record<string, Layer>> = {
  domain: { to: ['domain'], packages: ['@bufbuild/cel', 'croner'] },
  view: { to: ['view', 'domain'], packages: ['@bufbuild/protobuf*', GENERATED] },
  [PORTS]: { to: [PORTS, 'domain'], packages: [] },
  engine: {
    to: ['domain', 'engine', PORTS],
    packages: [
      { name: 'node:crypto', only: ['createHash'] },
      { name: 'node:async_hooks', only: ['AsyncLocalStorage'] },
      { name: 'node:util', only: ['isDeepStrictEqual'] },
    ],
  },
  store: { to: ['store', 'domain', PORTS], packages: [NODE, 'pg', '@electric-sql/pglite'] },
  bus: {
    to: ['bus', 'domain', 'wire', PORTS],
    packages: [NODE, '@nats-io/*', '@bufbuild/protobuf*', GENERATED],
  },
  api: {
    to: ['api', 'domain', 'gen', 'wire', PORTS],
    types: ['engine'],
    packages: [NODE, '@grpc/grpc-js', 'grpc-health-check', '@connectrpc/*', '@bufbuild/protobuf*', GENERATED],
  },
  schemas: { to: ['schemas', 'domain', PORTS], packages: [NODE, 'ajv/*', '@bufbuild/protobuf*'] },
  expressions: { to: ['expressions', 'domain', PORTS], packages: [NODE] },
  telemetry: { to: ['telemetry', 'domain', PORTS], packages: [NODE, '@opentelemetry/*'] },
  wire: { to: ['wire', 'domain', PORTS], packages: ['@bufbuild/protobuf*', GENERATED] },
  [SIMULATE]: {
    to: [SIMULATE, 'domain', 'engine', PORTS, 'store', 'api'],
    packages: [NODE, 'pg', '@electric-sql/pglite', '@bufbuild/protobuf*', GENERATED],
  },
  [CONFORMANCE]: {
    to: [CONFORMANCE, 'domain', 'bus', PORTS],
    packages: [NODE, '@grpc/grpc-js', '@nats-io/*', '@bufbuild/protobuf*', GENERATED],
  },
  cli: {
    to: ['cli', 'view', 'root', 'main', SIMULATE, CONFORMANCE, 'exec', 'telemetry'],
    parts: [PURE_PARTS],
    packages: [
      NODE,
      'commander',
      'cli-progress',
      'string-width',
      'yaml',
      '@bufbuild/protobuf*',
      '@muster-jobs/sdk/grpc',
    ],
  },
  exec: { to: ['exec'], parts: [PURE_PARTS], packages: [NODE, '@muster-jobs/sdk'] },
  root: { to: ['root', 'domain', PORTS], packages: [NODE, 'zod', 'pino', 'sonic-boom'] },
  main: {
    to: [
      'main',
      'root',
      'domain',
      'engine',
      PORTS,
      'store',
      'bus',
      'api',
      'schemas',
      'expressions',
      'telemetry',
      'wire',
    ],
    packages: ['*'],
  },
};

/** Modules of the engine that its ports use: implementations of a port may import them. */
const portModules = ['errors', 'messages'].map((name) => `server/engine/base/${name}.ts`);

/** Globals that make a decision depend on more than its arguments. */
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

/** Layers whose results depend only on their arguments, and their products. */
const pure: Readonly<Record<string, string>> = { domain: 'a decision', view: 'a view' };

/** The worker of the CLI is a layer too, although its folder is with the other workers. */
const EXEC = 'workers/exec/';

function layerOf(path: string): string | undefined {
  if (path.startsWith(EXEC)) return 'exec';
  for (const layer of inner) if (path.startsWith(`server/${layer}/`)) return layer;
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
  if (found.typeOnly && layer.types?.includes(target)) return true;
  if (layer.to.includes(PORTS) && portModules.includes(found.target)) return true;
  return layer.parts?.some((folder) => found.target?.startsWith(folder)) === true;
}

function layerFaults(file: SourceFile): string[] {
  const name = layerOf(file.path);
  if (name === undefined) return [];
  const layer = layers[name];
  if (!layer) return [`${file.path}: "${name}" is no layer of the house; give it a rule`];
  const faults = importsOf(file)
    .filter((found) => !allows(layer, found))
    .map(({ specifier, names }) => `${file.path}: ${name} may not import ${specifier} (${names.join(', ')})`);
  const word = pure[name];
  if (word === undefined) return faults;
  return faults.concat(globalsOf(file, impure).map((used) => `${file.path}: ${word} may not use ${used}`));
}

const forbiddenInCore = /^(node:|@grpc\/|@nats-io\/|nats)/;

/** The SDK is independent of the server. The core of its worker runs on any JavaScript runtime. */
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

const STORE = 'server/store/';

/** Parts of the store that open transactions themselves. All others are statements, which the engine composes. */
const opening = [
  'driver/',
  'transfer/',
  // A verification reads everything in one snapshot.
  'upkeep/verify.ts',
  // Retention deletes in pages, each its own transaction.
  'upkeep/clearing.ts',
];

function transactionFaults(file: SourceFile): string[] {
  if (!file.path.startsWith(STORE) || opening.some((part) => file.path.startsWith(STORE + part))) return [];
  // The port's `transaction` opens the transactions that the engine composes.
  const isPort = (caller: string) => file.path === `${STORE}store.ts` && caller === 'transaction';
  return callersOf(file, 'transaction')
    .filter((caller) => !isPort(caller))
    .map((caller) => `${file.path}: ${caller} opens a transaction, which only the engine composes`);
}

function habitFaults(file: SourceFile): string[] {
  const faults: string[] = [];
  const lines = file.text.split('\n').length - 1;
  const max = file.path === WIRING ? MAX_WIRING_LINES : MAX_LINES;
  if (lines > max) faults.push(`${file.path}: has ${lines} lines, more than ${max}: split it`);
  if (hasDefaultExport(file)) faults.push(`${file.path}: has a default export`);
  return faults;
}

/** Every violation, one per line that begins with the file. */
export function houseFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...layerFaults(file),
    ...sdkFaults(file, files),
    ...transactionFaults(file),
    ...habitFaults(file),
  ]);
}
