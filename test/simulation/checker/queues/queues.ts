/** Queues: a paused one grants nothing, every pause and resume was requested, and users get true answers. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { type Evidence, isGrant, type Ordered } from '../base/events.ts';
import { Requests } from '../base/requests.ts';

interface Pause {
  readonly from: number;
  until: number;
}

const { READY, ASSIGNED, RUNNING, WAITING, CANCELLING } = stateCodes;
const held: readonly number[] = [ASSIGNED, RUNNING, CANCELLING];

export class QueueChecks {
  readonly #evidence: Evidence;
  readonly #requests: Requests;
  readonly #pauses = new Map<string, Pause[]>();
  /** State of each open job. */
  readonly #states = new Map<string, number>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#requests = new Requests(evidence);
  }

  take(row: Ordered): void {
    if (row.kind === 'queue') this.#flip(row);
    else if (row.kind === 'create' || row.kind === 'move' || row.kind === 'remove') this.#job(row);
  }

  /** Call after the last row. */
  finish(): void {
    this.#reported();
    for (const { facts } of this.#evidence.seen.get('queue read') ?? []) {
      if (facts.openJobs !== 0)
        this.#violate(`queue ${facts.queue} says that it has ${facts.openJobs} open jobs, and there are none`);
    }
  }

  #flip(row: Ordered): void {
    const queue = row.text ?? '';
    const paused = row.to === 1;
    const method = paused ? 'pauseQueue' : 'resumeQueue';
    if (!this.#requests.named('queue', queue, row.order, row.order, method))
      this.#violate(`queue ${queue} changed to paused=${paused} without a request (journal ${row.n})`);
    const { history } = this.#evidence;
    if (paused) {
      this.#pauses.set(queue, [...this.#pausesOf(queue), { from: row.order, until: Number.POSITIVE_INFINITY }]);
      history.count('a queue was paused while its jobs ran', Number(this.#countIn(queue, held) > 0));
      return;
    }
    const open = this.#openPause(queue);
    if (open) open.until = row.order;
    history.count('job waited in a queue until that was resumed', this.#countIn(queue, [READY]));
  }

  #job(row: Ordered): void {
    const facts = this.#evidence.facts.get(row.id);
    const queue = facts?.queue ?? '';
    const pause = this.#openPause(queue);
    const { history } = this.#evidence;
    if (pause && row.kind === 'move' && row.from === READY && row.to === WAITING)
      this.#violate(`workflow or wait ${row.id} was taken in queue ${queue}, which is paused (journal ${row.n})`);
    if (pause && isGrant(row)) {
      if (facts?.cleanupOf !== undefined) history.count('clean-up began in a paused queue');
      else this.#violate(`job ${row.id} was granted in queue ${queue}, which is paused (journal ${row.n})`);
    }
    if (row.kind !== 'remove') this.#states.set(row.id, row.to ?? 0);
    else {
      this.#states.delete(row.id);
      history.count('attempt ended in a paused queue', Number(pause !== undefined && held.includes(row.from ?? 0)));
    }
  }

  /** After an answer that a queue is paused it stays paused until the next request to resume it. */
  #reported(): void {
    for (const { facts, order } of this.#evidence.seen.get('pause answered') ?? []) {
      const queue = String(facts.queue);
      const began =
        this.#evidence.seen.get('pause asked')?.find((asked) => asked.facts.call === facts.call)?.order ?? 0;
      if (this.#requests.named('queue', queue, began, order, 'resumeQueue')) continue;
      this.#evidence.history.count('queue paused, and nobody resumed it meanwhile');
      const isPaused = this.#pausesOf(queue).some((pause) => pause.from < order && order < pause.until);
      if (!isPaused) this.#violate(`PauseQueue of ${queue} was answered, and the queue is not paused (order ${order})`);
    }
  }

  #countIn(queue: string, states: readonly number[]): number {
    const { facts } = this.#evidence;
    return [...this.#states].filter(([job, state]) => states.includes(state) && facts.get(job)?.queue === queue).length;
  }

  #openPause(queue: string): Pause | undefined {
    return this.#pausesOf(queue).find((pause) => pause.until === Number.POSITIVE_INFINITY);
  }

  #pausesOf(queue: string): Pause[] {
    return this.#pauses.get(queue) ?? [];
  }

  #violate(what: string): void {
    this.#evidence.history.violate('paused queues', what);
  }
}
