/** A control group of Linux (cgroup v1), which limits the processes in it. Needs root. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../../support/base/eventually.ts';

export type Controller = 'memory' | 'cpu';

const LEAVE_MS = 10_000;
let groups = 0;

const folderOf = (controller: Controller) => join('/sys/fs/cgroup', controller);

/** The group of this process, and of those that it starts. */
function homeOf(controller: Controller): string {
  const path = new RegExp(`:${controller}:(.*)$`, 'm').exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '';
  const home = join(folderOf(controller), path);
  return existsSync(home) ? home : folderOf(controller);
}

export class ControlGroup {
  readonly #folder: string;
  readonly #home: string;
  readonly #removing = () => rmdirSync(this.#folder);

  /** Limits of the group, by the names of their files. */
  constructor(controller: Controller, limits: Readonly<Record<string, string | number>>) {
    this.#folder = join(folderOf(controller), `muster-chaos-${process.pid}-${++groups}`);
    this.#home = homeOf(controller);
    mkdirSync(this.#folder);
    process.once('exit', this.#removing);
    for (const [file, value] of Object.entries(limits)) this.set(file, value);
  }

  /** What this machine lacks for it; undefined: nothing. */
  static lack(controller: Controller): string | undefined {
    if (process.getuid?.() !== 0) return 'it needs root';
    try {
      accessSync(join(folderOf(controller), 'cgroup.procs'), constants.W_OK);
      return undefined;
    } catch {
      return `there is no cgroup v1 with the controller ${controller}`;
    }
  }

  set(file: string, value: string | number): void {
    writeFileSync(join(this.#folder, file), String(value));
  }

  /** The number of a file, or of the line in it with that name. */
  number(file: string, name?: string): number {
    const text = readFileSync(join(this.#folder, file), 'utf8');
    if (name === undefined) return Number(text);
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  /** Words before a command that run it in the group. */
  get launcher(): readonly string[] {
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.#folder, 'cgroup.procs')];
  }

  /** Limits a running process, with its threads. */
  take(pid: number): void {
    this.set('cgroup.procs', pid);
  }

  /** Ends the limits: its processes are in the group of this one from now on. */
  async remove(): Promise<void> {
    const pids = readFileSync(join(this.#folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
    for (const pid of pids) writeFileSync(join(this.#home, 'cgroup.procs'), pid);
    const removed = () => {
      rmdirSync(this.#folder);
      return true;
    };
    // A process that has just ended is still in it for a moment.
    await eventually('the control group is empty', removed, { timeoutMs: LEAVE_MS, everyMs: 50 });
    process.off('exit', this.#removing);
  }
}
