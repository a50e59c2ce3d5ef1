/** A real Prometheus, and its promtool. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../base/eventually.ts';

const run = promisify(execFile);

export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** The output of promtool. Rejects with the output when promtool finds a fault. */
export async function promtool(...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run('promtool', args);
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`promtool ${args.join(' ')}: ${message}\n${stdout}${stderr}`, { cause: error });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class Prometheus {
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#process = process;
  }

  /** Starts Prometheus with the configuration. Needs prometheus, which `npm test` installs when it is missing. */
  static async start(config: string): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-prometheus-'));
    await writeFile(join(folder, 'prometheus.yml'), config);
    const port = await freePort();
    const args = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
    });
    child.on('error', (error) => {
      said += error.message;
    });
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, folder, child);
    try {
      await eventually('Prometheus is ready', async () => (await fetch(`${prometheus.url}/-/ready`)).ok, {
        timeoutMs: 120_000,
        everyMs: 100,
      });
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw new Error(`Prometheus does not start: ${said}`, { cause: error });
    }
  }

  /** The current series of an expression. @throws Error with the problem of the expression. */
  async query(expression: string): Promise<PrometheusSeries[]> {
    const url = `${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as { error?: string; data?: { result: PrometheusSeries[] } };
    if (!answer.data) throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null && this.#process.pid !== undefined) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
