/** Implements `--kill`: SIGKILL to the Python worker and to the control plane while each has work, and a summary. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { AttemptOutcome, type Job } from '@muster-jobs/sdk';
import type { Deployment, Session } from './deployment.ts';
import type { Progress } from './progress.ts';

/** The interval of heartbeats, in deployment.ts. */
const BEAT_MS = 1_000;
/** Shares of the parts after which each is killed. */
const WORKER_AT = 1 / 3;
const CONTROL_PLANE_AT = 2 / 3;

/** The Python worker. */
const WORKER = 'delay-stats';

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
    const worker = this.#lost.filter(
      ({ attempt: { sessionId, outcome } }) =>
        sessionId === this.#worker.sessionId && outcome !== AttemptOutcome.RELEASED,
    );
    const again = Math.max(0, ...worker.map(({ next }) => msOf(next.assignTime) - this.#worker.killedAt));
    const { killedAt, upAt, firstEndAt } = this.#controlPlane;
    const others = this.#lost.length - worker.length;
    return [
      `  Python worker  ${attempts(worker.length)} lost with it; all ran again, the last ${seconds(again)} after the kill`,
      `  control plane  away for ${seconds(upAt - killedAt)}; the next result came ${seconds(firstEndAt - killedAt)} after the kill`,
      ...(others > 0 ? [`  besides        ${attempts(others)} handed back before the start, and assigned again`] : []),
    ];
  }

  async #killWorker(): Promise<void> {
    const session = await this.#freezeWorker();
    const pid = await this.#deployment.kill(WORKER);
    Object.assign(this.#worker, { killedAt: Date.now(), sessionId: session.sessionId });
    this.#progress.say(`  SIGKILL: the Python worker (process ${pid}), while it held ${attempts(session.heldCount)}`);
    await this.#deployment.startWorker(WORKER);
    this.#progress.say(`  A new Python worker took over after ${seconds(Date.now() - this.#worker.killedAt)}`);
  }

  /** Freezes the Python worker while it has work, so that a kill loses this work. */
  async #freezeWorker(): Promise<Session> {
    for (;;) {
      await this.#session('to be busy', ({ heldCount }) => heldCount > 0);
      this.#deployment.freeze(WORKER);
      // Its session process still runs, and reports what had ended before. A heartbeat later the count is true.
      const settledMs = Date.now() + BEAT_MS;
      const frozen = await this.#session('to be frozen', ({ beatTime }) => msOf(beatTime) > settledMs);
      if (frozen.heldCount > 0) return frozen;
      this.#deployment.thaw(WORKER);
    }
  }

  #session(what: string, isSo: (session: Session) => boolean): Promise<Session> {
    return this.#deployment.until(`the Python worker ${what}`, async () =>
      (await this.#deployment.sessions(WORKER)).find(isSo),
    );
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

function msOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampMs(time);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function attempts(number: number): string {
  return `${number} attempt${number === 1 ? '' : 's'}`;
}
