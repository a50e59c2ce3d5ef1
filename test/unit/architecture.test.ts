/** The house keeps its rules: layers, the SDK apart, pure decisions, small files. And a rule that is broken is noticed. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, type SourceFile } from '../support/architecture.ts';
import { houseFaults } from '../support/house-rules.ts';

const root = new URL('../../', import.meta.url).pathname;
const folders = ['server', 'sdk/typescript', 'workers', 'test', '.ci'].filter((folder) => existsSync(root + folder));
const files = readSources(root, folders);

describe('this checkout', () => {
  it('breaks no rule of the house', () => {
    expect(houseFaults(files)).toEqual([]);
  });

  it('was read: every layer, and imports of every kind', () => {
    const layers = ['domain', 'engine', 'store', 'bus', 'api', 'schemas', 'simulate', 'cli'];
    for (const layer of layers) expect(files.some(({ path }) => path.startsWith(`server/${layer}/`))).toBe(true);
    expect(files.some(({ path }) => path.startsWith('sdk/typescript/src/worker/core/'))).toBe(true);
    expect(files.some(({ path }) => path.includes('/gen/'))).toBe(false);
    const all = files.flatMap(importsOf);
    expect(all.filter(({ typeOnly }) => typeOnly).length).toBeGreaterThan(50);
    expect(all.some(({ target }) => target === 'server/store/driver/pglite-thread.ts')).toBe(true);
  });
});

/** Each planted file with the word that its fault must name, or undefined where there is none. */
const planted: readonly (readonly [string, string, string | undefined])[] = [
  ['server/domain/a.ts', "import { x } from './b.ts';", undefined],
  ['server/domain/a.ts', "import { x } from '../engine/ports.ts';", '../engine/ports.ts'],
  ['server/domain/a.ts', "import type { X } from '../engine/ports.ts';", '../engine/ports.ts'],
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
  ['server/engine/a.ts', "import type { X } from '../gen/muster/v1/job_pb.ts';", '../gen/muster/v1/job_pb.ts'],
  ['server/store/a.ts', "import { EngineError } from '../engine/errors.ts';\nimport pg from 'pg';", undefined],
  ['server/store/a.ts', "import type { Replica } from '../engine/replica.ts';", undefined],
  ['server/store/a.ts', "import { Replica } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/store/a.ts', "import { type X, y } from '../engine/replica.ts';", '../engine/replica.ts'],
  ['server/store/a.ts', "import { x } from '../bus/nats-bus.ts';", '../bus/nats-bus.ts'],
  ['server/store/a.ts', "import { x } from '../gen/muster/v1/job_pb.ts';", '../gen/muster/v1/job_pb.ts'],
  ['server/store/a.ts', "export const x = new URL('../bus/thread.ts', import.meta.url);", '../bus/thread.ts'],
  [
    'server/store/a.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the planted file has the template
    'export const x = new URL(`../bus/thread.${kind}`, import.meta.url);',
    '../bus/thread.ts',
  ],
  ['server/bus/a.ts', "import { x } from '../gen/muster/v1/job_pb.ts';\nimport { y } from '../wire/a.ts';", undefined],
  ['server/bus/a.ts', "import { x } from '../api/code.ts';", '../api/code.ts'],
  ['server/api/a.ts', "import { x } from '../store/store.ts';", '../store/store.ts'],
  ['server/api/a.ts', "import { x } from 'pg';", 'pg'],
  ['server/api/a.ts', "import { x } from '../../sdk/typescript/src/index.ts';", '../../sdk/typescript/src/index.ts'],
  ['server/schemas/a.ts', "import { Ajv } from 'ajv/dist/ajv.js';\nimport { x } from '../engine/ports.ts';", undefined],
  ['server/schemas/a.ts', "import { x } from '../gen/muster/v1/job_pb.ts';", '../gen/muster/v1/job_pb.ts'],
  ['server/engine/a.ts', "import { x } from '../schemas/validator.ts';", '../schemas/validator.ts'],
  [
    'server/simulate/a.ts',
    "import { x } from '../engine/replica.ts';\nimport { y } from '../api/service.ts';",
    undefined,
  ],
  ['server/simulate/a.ts', "import { x } from '../bus/nats-bus.ts';", '../bus/nats-bus.ts'],
  ['server/simulate/a.ts', "import { x } from '../cli/cli-error.ts';", '../cli/cli-error.ts'],
  ['server/engine/a.ts', "import { x } from '../simulate/world.ts';", '../simulate/world.ts'],
  ['server/cli/a.ts', "import { x } from '../simulate/scenario.ts';", undefined],
  ['server/cli/a.ts', "import { x } from '../../workers/exec/command-spec.ts';", undefined],
  ['server/cli/a.ts', "import { x } from '../../workers/demo/jobs.ts';", '../../workers/demo/jobs.ts'],
  [
    'workers/exec/a.ts',
    "import { Worker } from '@muster/sdk';\nimport { x } from '../../server/domain/base/quantities.ts';",
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
  ['test/unit/a.ts', '\n'.repeat(400), undefined],
];

describe('a planted file', () => {
  const titled = planted.map(
    ([path, text, word]) =>
      [`${path} with ${text.trim().replaceAll('\n', ' ') || 'many lines'}`, path, text, word] as const,
  );

  it.each(titled)('%s', (_title, path, text, word) => {
    const faults = houseFaults([{ path, text } satisfies SourceFile]);
    if (word === undefined) expect(faults).toEqual([]);
    else {
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(`${path}: `);
      expect(faults[0]).toContain(word);
    }
  });

  it('is found also where the worker’s core reaches it only through another file', () => {
    const core = { path: 'sdk/typescript/src/worker/core/a.ts', text: "import { x } from '../../b.ts';" };
    const between = { path: 'sdk/typescript/src/b.ts', text: "import { readFile } from 'node:fs';" };
    expect(houseFaults([core, between])).toEqual([
      `${core.path} > ${between.path}: the worker's core may not import node:fs`,
    ]);
  });
});
