/** A replica as a process behind a proxy: its address stays the same over all of its lives. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KillPoint } from '../../../server/engine/base/kill-points.ts';
import { root } from '../../support/base/checkout.ts';
import { eventually } from '../../support/base/eventually.ts';
import { Child } from './child.ts';
import { collectGarbage, INSPECTABLE, type MemoryUse, wallClockOf } from './machine/inspector.ts';
import { TcpProxy } from './network/tcp-proxy.ts';

const START_MS = 60_000;
const POINT_MS = 60_000;
const MAX_STARTS = 15;
const STOP_MS = 15_000;

export class ReplicaProcess {
  readonly name: string;
  readonly proxy: TcpProxy;
  /** Ports of all its lives. */
  readonly ports: number[] = [];
  /** Output of lives that ended before they served. */
  readonly failedStarts: string[] = [];
  /** Number of lives so far. */
  lives = 0;
  /** The checkout whose `muster` its next lives run. */
  checkout = root;
  /** Error lines of the lives that are over. */
  readonly #pastFaults: string[] = [];
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #child: Child | undefined;
  #port: number | undefined;

  private constructor(
    name: string,
    proxy: TcpProxy,
    folder: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    this.name = name;
    this.proxy = proxy;
    this.#folder = folder;
    this.#args = args;
    this.#env = env;
  }

  /**
   * @param args Options of `muster start` besides ports and folder.
   * @param env Added to this process's environment.
   */
  static async create(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ReplicaProcess> {
    const folder = await mkdtemp(join(tmpdir(), `muster-chaos-${name}-`));
    return new ReplicaProcess(name, await TcpProxy.open(), folder, args, env);
  }

  /** Error lines of its log, of all its lives. */
  get faults(): readonly string[] {
    return this.alive ? [...this.#pastFaults, ...this.#errors()] : this.#pastFaults;
  }

  /** The folder of its embedded parts. */
  get folder(): string {
    return this.#folder;
  }

  get pid(): number | undefined {
    return this.#child?.alive ? this.#child.pid : undefined;
  }

  /**
   * Starts a life and waits until it serves. A life that can not reach its bus or database ends, and another one
   * follows, as under any supervisor. With `plan` (`point:count`) it kills itself there, possibly before it serves.
   *
   * @param launcher Words before the command.
   */
  async start(plan = '', launcher: readonly string[] = []): Promise<void> {
    for (let tries = 0; tries < MAX_STARTS; tries++) {
      const { child, port } = await this.#launch(plan, launcher);
      this.#child = child;
      this.#port = port;
      if (port !== undefined) this.ports.push(port);
      this.proxy.aim(port);
      if (port !== undefined || (await child.ended) === 'SIGKILL') return;
      this.failedStarts.push(child.lines.join('\n'));
    }
    throw new Error(`${this.name} does not start:\n${this.failedStarts.at(-1)}`);
  }

  async #launch(plan: string, launcher: readonly string[]): Promise<{ child: Child; port: number | undefined }> {
    this.lives++;
    let port: number | undefined;
    const ports = ['--data', this.#folder, '--grpc-port', '0', '--http-port', '0'];
    // This program adds the options of Node with which a replica runs.
    const words = [process.execPath, 'server/cli/bin.mjs', 'start', ...ports, ...this.#args];
    const [command = '', ...args] = [...launcher, ...words];
    const child = new Child({
      name: `${this.name}-${this.lives}`,
      command,
      args,
      folder: this.checkout,
      env: { ...INSPECTABLE, ...this.#env, MUSTER_KILL_POINT: plan },
      onLine: (line) => {
        port ??= Number(line.match(/gRPC\s+\S+:(\d+)/)?.[1] ?? Number.NaN) || undefined;
      },
    });
    await eventually(`${child.name} serves`, () => port !== undefined || !child.alive, { timeoutMs: START_MS }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; it has printed:\n${child.lines.join('\n')}`);
      },
    );
    return { child, port };
  }

  /** Directs the callers of this replica to that one from now on. */
  divert(to: ReplicaProcess): void {
    this.proxy.aim(to.#port);
    this.proxy.cut();
  }

  /** Directs the callers back to this replica. */
  restore(): void {
    this.proxy.aim(this.alive ? this.#port : undefined);
    this.proxy.cut();
  }

  /** SIGKILL from outside, at any moment. */
  async kill(): Promise<void> {
    this.proxy.aim(undefined);
    await this.#child?.kill();
    this.#collect();
  }

  /** Asks it to end, and waits for that. */
  async end(): Promise<void> {
    this.proxy.aim(undefined);
    await this.#child?.stop(STOP_MS);
    this.#collect();
  }

  /** Waits until it has killed itself at the planned point. */
  async killedItself(point: KillPoint): Promise<void> {
    const child = this.#child as Child;
    await eventually(`${child.name} passes ${point}`, () => !child.alive, { timeoutMs: POINT_MS, everyMs: 2 });
    this.proxy.aim(undefined);
    const how = await child.ended;
    if (how !== 'SIGKILL')
      throw new Error(`${child.name} ended by ${how}, not at ${point}:\n${child.lines.join('\n')}`);
    this.#collect();
  }

  get alive(): boolean {
    return this.#child?.alive ?? false;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** Output lines of the current life. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }

  /** Its memory, and what is left of it when all garbage is collected. */
  async memory(): Promise<MemoryUse> {
    return collectGarbage(this.#life());
  }

  /** What its clock says, in ms since 1970. */
  async wallClock(): Promise<number> {
    return wallClockOf(this.#life());
  }

  #life(): Child {
    if (!this.#child?.alive) throw new Error(`${this.name} does not run`);
    return this.#child;
  }

  /** Ends it in order; nothing of it stays. */
  async stop(): Promise<void> {
    await this.end();
    await this.proxy.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #collect(): void {
    this.#pastFaults.push(...this.#errors());
  }

  #errors(): string[] {
    const isError = (line: string) => line.startsWith('{"level":50') || /unhandled|uncaught|^\s+at /i.test(line);
    return this.lines.filter(isError).map((line) => `${this.#child?.name}: ${line.slice(0, 600)}`);
  }
}
