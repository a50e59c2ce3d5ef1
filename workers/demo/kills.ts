/** Implements `--kill`: SIGKILL to the Python worker and to the control plane while each has work, and a summary. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Job } from '@muster/sdk';
import type { Deployment } from './deployment.ts';
import type { Progress } from './progress.ts';

/** Shares of the parts after which each is killed. */
const WORKER_AT = 1 / 3;
const CONTROL_PLANE_AT = 2 / 3;

type Attempt = Job['attempts'][number];

/** A lost attempt, and the attempt that replaced it. */
interface Lost {
  readonly attempt: Attempt;
  readonly next: Attempt;
}

export class Kills {
  readonly #deployment: Deployment;
  readonly #progress: Progress;
  readonly #lost: Lost[] = [];
  readonly #worker = { killedAt: 0, sessionId: '' };
  readonly #controlPlane = { killedAt: 0, upAt: 0, firstEndAt: 0 };

  constructor(deployment: Deployment, progress: Progress) {
    this.#deployment = deployment;
    this.#progress = progress;
  }

  async execute(): Promise<void> {
    await this.#progress.reached(WORKER_AT);
    await this.#killWorker();
    await this.#progress.reached(CONTROL_PLANE_AT);
    await this.#killControlPlane();
  }

  /** Takes the ended jobs: all of them, and the retried ones with their attempts. */
  ended(jobs: readonly Job[], retried: readonly Job[]): void {
    for (const { attempts } of retried)
      for (const [index, next] of attempts.entries()) {
        const attempt = attempts[index - 1];
        if (attempt) this.#lost.push({ attempt, next });
      }
    const ends = jobs.flatMap(({ endTime }) => (endTime ? timestampMs(endTime) : []));
    this.#controlPlane.firstEndAt = Math.min(...ends.filter((end) => end > this.#controlPlane.killedAt));
  }

  /** A summary, in lines of text. */
  account(): string[] {
    const worker = this.#lost.filter(({ attempt }) => attempt.sessionId === this.#worker.sessionId);
    const again = Math.max(0, ...worker.map(({ next }) => timeOf(next) - this.#worker.killedAt));
    const { killedAt, upAt, firstEndAt } = this.#controlPlane;
    const others = this.#lost.length - worker.length;
    return [
      `  Python worker  ${attempts(worker.length)} lost with it; all ran again, the last ${seconds(again)} after the kill`,
      '                 (its lease is 4 s, and a control plane gives no worker up in the first lease of its own life)',
      `  control plane  away for ${seconds(upAt - killedAt)}; the next result came ${seconds(firstEndAt - killedAt)} after the kill`,
      ...(others > 0 ? [`  besides        ${attempts(others)} released by workers and assigned again`] : []),
    ];
  }

  async #killWorker(): Promise<void> {
    const session = await this.#deployment.until('the Python worker to be busy', async () =>
      (await this.#deployment.sessions('delay-stats')).find(({ heldCount: held }) => held > 0),
    );
    const pid = await this.#deployment.kill('delay-stats');
    Object.assign(this.#worker, { killedAt: Date.now(), sessionId: session.sessionId });
    this.#progress.say(`  SIGKILL: the Python worker (process ${pid}), while it held ${attempts(session.heldCount)}`);
    await this.#deployment.startWorker('delay-stats');
    this.#progress.say(`  A new Python worker took over after ${seconds(Date.now() - this.#worker.killedAt)}`);
  }

  async #killControlPlane(): Promise<void> {
    const held = await this.#deployment.until('the workers to be busy', async () => {
      // The session of the dead worker holds attempts, too, until its lease lapses; they do not count as work.
      const alive = (await this.#deployment.sessions()).filter(({ sessionId }) => sessionId !== this.#worker.sessionId);
      return alive.reduce((total, session) => total + session.heldCount, 0) || undefined;
    });
    const pid = await this.#deployment.kill('control plane');
    this.#controlPlane.killedAt = Date.now();
    this.#progress.say(`  SIGKILL: the control plane (process ${pid}), while live workers held ${attempts(held)}`);
    await this.#deployment.startControlPlane();
    this.#controlPlane.upAt = Date.now();
    const away = seconds(this.#controlPlane.upAt - this.#controlPlane.killedAt);
    this.#progress.say(`  The control plane is back after ${away}, on the same folder and ports`);
  }
}

function timeOf(attempt: Attempt): number {
  return attempt.assignTime === undefined ? 0 : timestampMs(attempt.assignTime);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function attempts(number: number): string {
  return `${number} attempt${number === 1 ? '' : 's'}`;
}
