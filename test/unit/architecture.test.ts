/** The rules of the source tree: imports, folders, cycles, purity, file size. A planted file breaks each rule once. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, type SourceFile } from '../support/house/architecture.ts';
import { houseFaults } from '../support/house/house-rules.ts';
import { structureFaults } from '../support/house/house-structure.ts';

const root = new URL('../../', import.meta.url).pathname;
const folders = ['server', 'sdk/typescript', 'workers', 'test', '.ci'].filter((folder) => existsSync(root + folder));
const files = readSources(root, folders);

describe('the source tree', () => {
  it('breaks no rule', () => {
    expect([...houseFaults(files), ...structureFaults(files)]).toEqual([]);
  });

  it('is read as a whole: every layer, and imports of every kind', () => {
    const layers = ['domain', 'engine', 'store', 'bus', 'api', 'schemas', 'tools', 'cli'];
    for (const layer of layers) expect(files.some(({ path }) => path.startsWith(`server/${layer}/`))).toBe(true);
    expect(files.some(({ path }) => path.startsWith('sdk/typescript/src/worker/core/'))).toBe(true);
    expect(files.some(({ path }) => path.includes('/gen/'))).toBe(false);
    const all = files.flatMap(importsOf);
    expect(all.filter(({ typeOnly }) => typeOnly).length).toBeGreaterThan(50);
    expect(all.some(({ target }) => target === 'server/store/driver/pglite-thread.ts')).toBe(true);
  });
});

/** Each planted file with the word that its fault must contain, or undefined when it breaks no rule. */
const planted: readonly (readonly [string, string, string | undefined])[] = [
  ['server/domain/a.ts', "import { x } from './b.ts';", undefined],
  ['server/domain/a.ts', "import { x } from '../engine/ports/ports.ts';", '../engine/ports/ports.ts'],
  ['server/domain/a.ts', "import type { X } from '../engine/ports/ports.ts';", '../engine/ports/ports.ts'],
  ['server/domain/a.ts', "import { x } from 'node:crypto';", 'node:crypto'],
  ['server/domain/a.ts', "import { x } from 'zod';", 'zod'],
  ['server/domain/a.ts', "export * from '../api/code.ts';", '../api/code.ts'],
  ['server/domain/a.ts', "export const x = await import('../store/store.ts');", '../store/store.ts'],
  ['server/domain/a.ts', 'export const x = (name: string) => import(name);', '(computed)'],
  ['server/domain/a.ts', "export type X = import('../store/store.ts').Y;", '../store/store.ts'],
  ['server/domain/a.ts', 'export const x = () => Date.now();', 'Date'],
  ['server/domain/a.ts', 'export const x = () => new Date();', 'Date'],
  ['server/domain/a.ts', 'export const x = (ms: number) => new Date(ms);', undefined],
  ['server/domain/a.ts', 'export const x = () => new Date(Date.now());', 'Date'],
  ['server/domain/a.ts', "import { Cron } from 'croner';", undefined],
  ['server/domain/a.ts', 'export const x = () => Math.random();', 'Math.random'],
  ['server/domain/a.ts', "export const x = () => Math['random']();", 'Math.random'],
  ['server/domain/a.ts', 'export const x = () => performance.now();', 'performance'],
  ['server/domain/a.ts', 'export const x = () => process.env.X;', 'process'],
  ['server/domain/a.ts', 'export const x = () => ({ process });', 'process'],
  ['server/domain/a.ts', '// Date.now() and Math.random() are not used\nexport const x = Math.max(1, 2);', undefined],
  ['server/domain/a.ts', "export const x = { Date: 'process' }.Date;", undefined],
  ['server/engine/a.ts', "import { createHash } from 'node:crypto';\nimport { x } from '../domain/b.ts';", undefined],
  ['server/engine/a.ts', "import { createHash, randomUUID } from 'node:crypto';", 'randomUUID'],
  ['server/engine/a.ts', "import type { X } from '../store/store.ts';", '../store/store.ts'],
  [
    'server/engine/a.ts',
    "import type { X } from '@muster-jobs/sdk/gen/muster/v1/job_pb';",
    '@muster-jobs/sdk/gen/muster/v1/job_pb',
  ],
  ['server/store/a.ts', "import { EngineError } from '../engine/base/errors.ts';\nimport pg from 'pg';", undefined],
  ['server/store/a.ts', "import type { Replica } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/api/a.ts', "import type { Replica } from '../engine/replica.ts';", undefined],
  ['server/api/a.ts', "import { Replica } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/engine/ports/a.ts', "import type { X } from '../base/messages.ts';", undefined],
  ['server/engine/ports/a.ts', "import type { X } from '../jobs/submit/a.ts';", '../jobs/submit/a.ts'],
  ['server/view/a.ts', "import { x } from './b.ts';", undefined],
  ['server/view/a.ts', "import { x } from '../domain/events/trace.ts';", undefined],
  ['server/view/a.ts', "import { x } from '../cli/a.ts';", '../cli/a.ts'],
  ['server/view/a.ts', "import { x } from '@muster-jobs/sdk/grpc';", '@muster-jobs/sdk/grpc'],
  ['server/domain/a.ts', "import { x } from '../view/a.ts';", '../view/a.ts'],
  ['server/view/a.ts', 'export const x = () => Date.now();', 'Date'],
  ['server/store/a.ts', "import { Replica } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/store/a.ts', "import { type X, y } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/store/a.ts', "import { x } from '../bus/nats-bus.ts';", '../bus/nats-bus.ts'],
  [
    'server/store/a.ts',
    "import { x } from '@muster-jobs/sdk/gen/muster/v1/job_pb';",
    '@muster-jobs/sdk/gen/muster/v1/job_pb',
  ],
  ['server/store/a.ts', "export const x = new URL('../bus/thread.ts', import.meta.url);", '../bus/thread.ts'],
  [
    'server/store/a.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is part of the planted file
    'export const x = new URL(`../bus/thread.${kind}`, import.meta.url);',
    '../bus/thread.ts',
  ],
  ['server/store/a.ts', 'export const change = () => database.transaction(work);', 'change opens a transaction'],
  ['server/store/a.ts', "export const x = { change: () => db['transaction'](work) };", 'change opens a transaction'],
  ['server/store/a.ts', 'export function change() { return { run: db.transaction(work) }; }', 'change opens a trans'],
  ['server/store/store.ts', 'export const x = { transaction: (work) => database.transaction(work) };', undefined],
  ['server/store/store.ts', 'export const x = { change: () => database.transaction(work) };', 'change opens a trans'],
  ['server/store/store.ts', 'export const x = { change: () => store.transaction };', undefined],
  ['server/store/driver/a.ts', 'export const x = () => database.transaction(work);', undefined],
  ['server/store/transfer/a.ts', 'export const x = () => database.transaction(work);', undefined],
  ['server/store/upkeep/clearing.ts', 'export const x = () => database.transaction(work);', undefined],
  ['server/store/upkeep/vitals.ts', 'export const x = () => database.transaction(work);', 'x opens a transaction'],
  [
    'server/bus/a.ts',
    "import { x } from '@muster-jobs/sdk/gen/muster/v1/job_pb';\nimport { y } from '../wire/a.ts';",
    undefined,
  ],
  ['server/bus/a.ts', "import { x } from '../api/code.ts';", '../api/code.ts'],
  ['server/api/a.ts', "import { x } from '../store/store.ts';", '../store/store.ts'],
  ['server/api/a.ts', "import { x } from 'pg';", 'pg'],
  ['server/api/a.ts', "import { x } from '../../sdk/typescript/src/index.ts';", '../../sdk/typescript/src/index.ts'],
  [
    'server/schemas/a.ts',
    "import { Ajv } from 'ajv/dist/ajv.js';\nimport { x } from '../engine/ports/ports.ts';",
    undefined,
  ],
  [
    'server/schemas/a.ts',
    "import { x } from '@muster-jobs/sdk/gen/muster/v1/job_pb';",
    '@muster-jobs/sdk/gen/muster/v1/job_pb',
  ],
  ['server/engine/a.ts', "import { x } from '../schemas/validator.ts';", '../schemas/validator.ts'],
  [
    'server/tools/simulate/a.ts',
    "import { x } from '../../engine/replica.ts';\nimport { y } from '../../api/service.ts';",
    undefined,
  ],
  ['server/tools/simulate/a.ts', "import { x } from '../../bus/nats-bus.ts';", '../../bus/nats-bus.ts'],
  ['server/tools/simulate/a.ts', "import { x } from '../../cli/cli-error.ts';", '../../cli/cli-error.ts'],
  ['server/tools/a.ts', 'export const x = 1;', '"tools" is no layer'],
  ['server/engine/a.ts', "import { x } from '../tools/simulate/world.ts';", '../tools/simulate/world.ts'],
  ['server/main.ts', "import { x } from './tools/simulate/world.ts';", './tools/simulate/world.ts'],
  ['server/main.ts', "import { x } from './cli/run-server.ts';", './cli/run-server.ts'],
  ['server/cli/a.ts', "import { x } from '../tools/simulate/scenario.ts';", undefined],
  ['server/cli/a.ts', "import { x } from '../domain/base/uuid.ts';", undefined],
  ['server/cli/a.ts', "import type { X } from '../domain/jobs/run.ts';", '../domain/jobs/run.ts'],
  ['server/cli/a.ts', "import { x } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/cli/a.ts', "import { x } from '../../workers/exec/command-spec.ts';", undefined],
  ['server/cli/a.ts', "import { x } from '../../workers/demo/jobs.ts';", '../../workers/demo/jobs.ts'],
  [
    'workers/exec/a.ts',
    "import { Worker } from '@muster-jobs/sdk';\nimport { x } from '../../server/domain/base/quantities.ts';",
    undefined,
  ],
  [
    'workers/exec/a.ts',
    "import { x } from '../../server/cli/failures/cli-error.ts';",
    '../../server/cli/failures/cli-error.ts',
  ],
  ['server/wire/a.ts', "import { x } from '../bus/client.ts';", '../bus/client.ts'],
  ['server/config.ts', "import { x } from './api/code.ts';", './api/code.ts'],
  ['server/transfer.ts', "import { x } from './store/transfer/a.ts';", undefined],
  ['server/main.ts', "import { x } from './api/a.ts';\nimport { y } from './store/a.ts';", undefined],
  ['server/cellar/a.ts', 'export const x = 1;', '"cellar" is no layer'],
  ['sdk/typescript/src/a.ts', "import { x } from '../../../server/domain/uuid.ts';", '../../../server/domain/uuid.ts'],
  ['sdk/typescript/src/a.ts', "import { x } from '@grpc/grpc-js';", undefined],
  ['sdk/typescript/src/worker/core/a.ts', "import { x } from 'node:events';", 'node:events'],
  ['sdk/typescript/src/worker/core/a.ts', "import type { X } from '@grpc/grpc-js';", '@grpc/grpc-js'],
  ['sdk/typescript/src/worker/core/a.ts', "import { x } from '@nats-io/transport-node';", '@nats-io/transport-node'],
  ['workers/demo/a.ts', 'export default function x() {}', 'default export'],
  ['server/domain/a.ts', 'const x = 1;\nexport { x as default };', 'default export'],
  ['test/unit/a.ts', '\n'.repeat(401), '401 lines'],
  ['server/engine/replica.ts', '\n'.repeat(121), 'lines'],
  ['test/unit/a.ts', '\n'.repeat(400), undefined],
];

const numbered = (folder: string, count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${folder}/file-${at}.ts`, '']));

/** Planted trees with the beginning of their only fault, or undefined when they break no rule. */
const plantedTrees: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string | undefined]>> = {
  'of files in a line': [
    { 'test/a.ts': "import './b.ts';", 'test/b.ts': "import './c.ts';", 'test/c.ts': '' },
    undefined,
  ],
  'of files that import types of each other': [
    { 'test/a.ts': "import type { B } from './b.ts';", 'test/b.ts': "import type { A } from './a.ts';" },
    'test/a.ts: is in a cycle with test/b.ts',
  ],
  'of files that need each other through a third one and import()': [
    {
      'test/a.ts': "import './b.ts';",
      'test/b.ts': "export type B = import('./c.ts').C;",
      'test/c.ts': "export const c = () => import('./a.ts');",
    },
    'test/a.ts: is in a cycle with test/b.ts, test/c.ts',
  ],
  'of a file that imports itself': [
    { 'test/a.ts': "import type { A } from './a.ts';" },
    'test/a.ts: is in a cycle with itself',
  ],
  'of 25 files in a folder': [numbered('test/many', 25), undefined],
  'of 26 files in a folder': [numbered('test/many', 26), 'test/many: has 26 source files'],
  'of a capability and one folder in it': [{ 'server/engine/jobs/submit/a.ts': '' }, undefined],
  'of a folder too deep': [
    { 'server/engine/jobs/submit/keys/a.ts': '' },
    'server/engine/jobs/submit/keys/a.ts: lies 3',
  ],
  'of a folder that is no capability': [{ 'server/store/things/a.ts': '' }, 'server/store/things/a.ts: "things" is no'],
  'of a command without a capability': [{ 'server/cli/commands/a.ts': '' }, 'server/cli/commands/a.ts: belongs in'],
  'of a use case at the root of the engine': [{ 'server/engine/a.ts': '' }, 'server/engine/a.ts: belongs in'],
  'of what wires a replica': [{ 'server/engine/replica.ts': '', 'server/engine/ports/a.ts': '' }, undefined],
};

describe('a planted tree', () => {
  it.each(Object.entries(plantedTrees))('%s is judged correctly', (_title, [texts, start]) => {
    const faults = structureFaults(Object.entries(texts).map(([path, text]) => ({ path, text })));
    expect(faults.map((fault) => fault.slice(0, start?.length))).toEqual(start === undefined ? [] : [start]);
  });
});

describe('a planted file', () => {
  const titled = planted.map(
    ([path, text, word]) =>
      [`${path} with ${text.trim().replaceAll('\n', ' ') || 'many lines'}`, path, text, word] as const,
  );

  it.each(titled)('%s is judged correctly', (_title, path, text, word) => {
    const faults = houseFaults([{ path, text } satisfies SourceFile]);
    if (word === undefined) expect(faults).toEqual([]);
    else {
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(`${path}: `);
      expect(faults[0]).toContain(word);
    }
  });

  it('is found when the core of the worker reaches it only through another file', () => {
    const core = { path: 'sdk/typescript/src/worker/core/a.ts', text: "import { x } from '../../b.ts';" };
    const between = { path: 'sdk/typescript/src/b.ts', text: "import { readFile } from 'node:fs';" };
    expect(houseFaults([core, between])).toEqual([
      `${core.path} > ${between.path}: the worker's core may not import node:fs`,
    ]);
  });
});
