/** The demo's languages: how the worker of each is built and started. */
import { fileURLToPath } from 'node:url';
import type { Workers } from '../demo/deployment.ts';
import type { Program } from '../demo/processes.ts';
import { go, java, rust, type Toolchain } from './toolchains.ts';

export interface Language {
  /** Display name. */
  readonly name: string;
  /** Name in the workflow's input. */
  readonly id: string;
  /** Name of its worker, and of the service in its spans. */
  readonly worker: string;
  /** `undefined`: always available. */
  readonly toolchain?: Toolchain;
  /** `undefined`: needs no build. */
  readonly build?: Program;
  readonly start: (address: string) => Omit<Program, 'env'>;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const target = here('java/target/sdk');

export const LANGUAGES: readonly Language[] = [
  {
    ...{ name: 'TypeScript', id: 'typescript', worker: 'polyglot-typescript' },
    start: () => ({ command: process.execPath, args: [here('typescript/worker.ts')] }),
  },
  {
    ...{ name: 'Go', id: 'go', worker: 'polyglot-go', toolchain: go },
    build: { command: 'go', args: ['build', '-o', 'target/worker', '.'], cwd: here('go') },
    start: () => ({ command: here('go/target/worker'), args: [] }),
  },
  {
    ...{ name: 'Rust', id: 'rust', worker: 'polyglot-rust', toolchain: rust },
    // Builds the SDK's whole workspace, as its tests do, so that nothing is built twice.
    build: {
      command: 'cargo',
      args: ['build', '--workspace', '--locked', '--target-dir', 'target'],
      cwd: here('../../sdk/rust'),
    },
    start: () => ({ command: here('../../sdk/rust/target/debug/muster-polyglot-worker'), args: [] }),
  },
  {
    ...{ name: 'Java', id: 'java', worker: 'polyglot-java', toolchain: java },
    // Uses its own folders, since the SDK's own build may run at the same time.
    build: {
      command: 'mvn',
      args: [
        ...['-B', '-ntp', '-Dstyle.color=never', '-f', 'with-sdk.xml', 'package'],
        ...['-Dmaven.test.skip=true', `-Dmuster.build=${target}`],
      ],
      cwd: here('java'),
    },
    start: () => ({ command: here('java/run'), args: [] }),
  },
  {
    ...{ name: 'Python', id: 'python', worker: 'polyglot-python' },
    start: () => ({
      command: 'python',
      args: [here('python/worker.py')],
      hint: '"npm run demo:polyglot" sets up the Python that it needs.',
    }),
  },
  {
    ...{ name: 'exec', id: 'exec', worker: 'polyglot-exec' },
    start: (address) => ({
      command: process.execPath,
      args: [
        ...[here('../../server/cli/muster.ts'), 'worker', 'exec', '--server', address, '--name', 'polyglot-exec'],
        ...['--slots', '4', '--file', here('exec/handlers.yaml')],
      ],
    }),
  },
];

/** The programs of the workers, by name. */
export function workersOf(languages: readonly Language[]): Workers {
  return Object.fromEntries(
    languages.map(({ worker, start }) => [
      worker,
      (address) => ({ ...start(address), env: { MUSTER_ADDRESS: address, OTEL_SERVICE_NAME: worker } }),
    ]),
  );
}
