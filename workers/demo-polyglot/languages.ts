/** The demo's languages: which step of the workflow each does, and how its worker is built and started. */
import { fileURLToPath } from 'node:url';
import type { Workers } from '../demo/deployment.ts';
import type { Program } from '../demo/processes.ts';
import { go, java, rust, type Toolchain } from './toolchains.ts';

export interface Language {
  /** As people write it. */
  readonly name: string;
  /** As the workflow's input has it. */
  readonly id: string;
  /** Of its worker, and so of its spans' service. */
  readonly worker: string;
  /** Undefined: it is wherever the demo is. */
  readonly toolchain?: Toolchain;
  /** Undefined: it runs as it is. */
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
    // The whole of the SDK's workspace, as its tests do: so nothing is built twice.
    build: {
      command: 'cargo',
      args: ['build', '--workspace', '--locked', '--target-dir', 'target'],
      cwd: here('../../sdk/rust'),
    },
    start: () => ({ command: here('../../sdk/rust/target/debug/muster-polyglot-worker'), args: [] }),
  },
  {
    ...{ name: 'Java', id: 'java', worker: 'polyglot-java', toolchain: java },
    // In folders of its own, since the SDK's own may be at work beside it.
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

/** What their workers are started from, by name. */
export function workersOf(languages: readonly Language[]): Workers {
  return Object.fromEntries(
    languages.map(({ worker, start }) => [
      worker,
      (address) => ({ ...start(address), env: { MUSTER_ADDRESS: address, OTEL_SERVICE_NAME: worker } }),
    ]),
  );
}
