/** The worker of each SDK as a process for the benchmark: the conformance worker, whose `echo` does nothing. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { go, java, lackOf, rust, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';
import { cpuMs, megabytes } from './deployment.ts';

const root = new URL('../../', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'muster-bench-sdks-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const goWorker = join(scratch, 'worker-go');

export interface SdkWorker {
  readonly language: string;
  /** The toolchain that the machine needs; undefined: the project's own files suffice. */
  readonly toolchain?: Toolchain;
  /** Builds the program as for production. */
  readonly build?: { readonly folder: string; readonly command: readonly [string, ...string[]] };
  readonly command: readonly [string, ...string[]];
  /** In place of both, where speed does not matter: what the tests have built already. */
  readonly tested?: Pick<SdkWorker, 'build' | 'command'>;
}

export const sdkWorkers: readonly SdkWorker[] = [
  { language: 'TypeScript', command: [process.execPath, 'workers/conformance-typescript/worker.ts'] },
  { language: 'Python', command: [join(root, '.tools/venv/bin/python'), 'workers/conformance-python/worker.py'] },
  {
    language: 'Go',
    toolchain: go,
    build: { folder: 'workers/conformance-go', command: ['go', 'build', '-o', goWorker, '.'] },
    command: [goWorker],
  },
  {
    language: 'Java',
    toolchain: java,
    build: {
      folder: 'workers/conformance-java',
      command: ['mvn', '-B', '-ntp', '-q', '-f', 'with-sdk.xml', 'package', '-DskipTests'],
    },
    command: ['java', '-jar', 'workers/conformance-java/target/conformance-worker.jar'],
  },
  {
    language: 'Rust',
    toolchain: rust,
    build: { folder: 'sdk/rust', command: ['cargo', 'build', '--release', '--workspace', '--locked'] },
    command: ['sdk/rust/target/release/muster-conformance-worker'],
    tested: {
      build: { folder: 'sdk/rust', command: ['cargo', 'build', '--workspace', '--locked'] },
      command: ['sdk/rust/target/debug/muster-conformance-worker'],
    },
  },
];

/** Why the machine cannot run it; undefined: it can. */
export function lackOfWorker({ toolchain }: SdkWorker): string | undefined {
  return toolchain && lackOf(toolchain);
}

export function build({ build }: SdkWorker): void {
  if (!build) return;
  const [program, ...args] = build.command;
  execFileSync(program, args, { cwd: join(root, build.folder), stdio: ['ignore', 'ignore', 'inherit'] });
}

export interface RunningWorker {
  /** Processor time of the worker's processes since their start, in ms, in steps of 10. */
  cpuMs(): number;
  /** Resident memory of all of them, in MB. */
  memory(): number;
  stop(): Promise<void>;
}

/** The process and its children: Python's worker starts one for its session. */
function processesOf(pid: number): number[] {
  // Linux lists children by the thread that started them.
  const threads = readdirSync(`/proc/${pid}/task`);
  const started = threads.flatMap((id) => readFileSync(`/proc/${pid}/task/${id}/children`, 'utf8').match(/\d+/g) ?? []);
  return [pid, ...started.map(Number).flatMap(processesOf)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function start({ command }: SdkWorker, address: string, slots: number): RunningWorker {
  const [program, ...args] = command;
  const env = { MUSTER_ADDRESS: address, MUSTER_WORKER_NAME: 'bench-worker', MUSTER_SLOTS: String(slots) };
  const child: ChildProcess = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PYTHONPATH: join(root, 'sdk/python/src'), ...env },
  });
  const pid = child.pid as number;
  return {
    cpuMs: () => sum(processesOf(pid).map(cpuMs)),
    memory: () => sum(processesOf(pid).map((each) => megabytes(each, 'VmRSS'))),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
