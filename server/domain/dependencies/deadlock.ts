/**
 * Deadlocks: jobs that wait for each other in a circle, through each other's ends and through the slots that they hold.
 * Jobs that can end are removed with everything that they hold, until none can; the remainder waits for ever. A job
 * that is not in the input is taken to end.
 */
import { type Amounts, fitCount } from '../dispatch/resources.ts';

/** An end that a job waits for. */
export interface AwaitedEnd {
  readonly jobId: string;
  /** Step of the awaited workflow; undefined: the end of the job itself. */
  readonly step?: string | undefined;
  /**
   * This end alone may be enough, whatever else is awaited: a failure lets a dependent be skipped, and a handler may
   * need only the first of several. Otherwise all ends are needed.
   */
  readonly isEnough: boolean;
}

/** A limit on how many jobs workers may hold at once. */
export interface LimitedPlaces {
  readonly key: string;
  /** For operators, after "a place": `in queue q (max_concurrency 1)`. */
  readonly name: string;
  readonly places: number;
}

/** An open session that takes jobs. */
export interface SessionPlaces {
  readonly sessionId: string;
  readonly workerName: string;
  readonly slots: number;
  readonly resources: Amounts;
}

/** What a job needs before a worker can have it. */
export interface Needs {
  /** A slot under each of these limits. */
  readonly limits: readonly LimitedPlaces[];
  /**
   * Sessions that could run the job if they were empty; it needs one of them. Empty: it waits for a worker, which may
   * connect at any time.
   */
  readonly sessions: readonly SessionPlaces[];
}

export interface StuckCandidate {
  readonly jobId: string;
  /** For operators. */
  readonly state: string;
  /** The session that holds the job, and its limits; undefined: the job holds nothing. */
  readonly held:
    | { readonly sessionId: string; readonly workerName: string; readonly limitKeys: readonly string[] }
    | undefined;
  /** Resources that the job takes, or would take, of a session; equal for all jobs that share `needs`. */
  readonly resources: Amounts;
  readonly awaits: readonly AwaitedEnd[];
  /** Undefined: nothing, because a worker has the job already or the control plane runs it. */
  readonly needs: Needs | undefined;
}

/** What blocks a stuck job: the end of another job, or a slot that others hold. */
export type Blocker =
  | { readonly kind: 'END'; readonly end: AwaitedEnd }
  | { readonly kind: 'LIMIT'; readonly limit: LimitedPlaces; readonly holders: readonly string[] }
  | { readonly kind: 'SESSIONS'; readonly sessions: readonly SessionPlaces[]; readonly holders: readonly string[] };

export class Deadlocks {
  readonly #jobs: ReadonlyMap<string, StuckCandidate>;
  readonly #stuck: Map<string, StuckCandidate>;
  readonly #byLimit = new Map<string, Set<string>>();
  readonly #bySession = new Map<string, Set<string>>();

  constructor(jobs: readonly StuckCandidate[]) {
    this.#jobs = new Map(jobs.map((job) => [job.jobId, job]));
    this.#stuck = new Map(this.#jobs);
    for (const { jobId, held } of this.#jobs.values()) {
      if (!held) continue;
      for (const key of held.limitKeys) add(this.#byLimit, key, jobId);
      add(this.#bySession, held.sessionId, jobId);
    }
    this.#reduce();
  }

  /** By job id. */
  get stuck(): ReadonlyMap<string, StuckCandidate> {
    return this.#stuck;
  }

  /** Why a stuck job is stuck: at least one blocker, each leading to stuck jobs only. */
  blockersOf({ awaits, needs, resources }: StuckCandidate): Blocker[] {
    const ends = awaits.filter(({ jobId }) => this.#stuck.has(jobId));
    if (ends.length > 0) return ends.map((end) => ({ kind: 'END', end }));
    const limits = (needs?.limits ?? []).filter((limit) => this.#isFull(limit));
    const ofLimits = limits.map(
      (limit) => ({ kind: 'LIMIT', limit, holders: [...(this.#byLimit.get(limit.key) ?? [])] }) as const,
    );
    const sessions = needs?.sessions ?? [];
    if (sessions.some((session) => this.#hasCapacity(session, resources))) return ofLimits;
    const holders = sessions.flatMap(({ sessionId }) => [...(this.#bySession.get(sessionId) ?? [])]);
    return holders.length === 0 ? ofLimits : [...ofLimits, { kind: 'SESSIONS', sessions, holders }];
  }

  #reduce(): void {
    const awaitedBy = this.#awaitedBy();
    for (let free = this.#thatCanEnd(); free.length > 0; free = this.#thatCanEnd())
      for (let job = free.pop(); job; job = free.pop()) {
        if (!this.#stuck.delete(job.jobId)) continue;
        this.#giveBack(job);
        free.push(...(awaitedBy.get(job.jobId) ?? []).filter((other) => this.#endReleases(other)));
      }
  }

  #awaitedBy(): Map<string, StuckCandidate[]> {
    const found = new Map<string, StuckCandidate[]>();
    for (const job of this.#jobs.values())
      for (const { jobId } of job.awaits) {
        const others = found.get(jobId);
        if (others) others.push(job);
        else found.set(jobId, [job]);
      }
    return found;
  }

  /** Jobs with the same `needs` share one answer: where slots are few, such jobs are many. */
  #thatCanEnd(): StuckCandidate[] {
    const answers = new Map<Needs, boolean>();
    const canStart = ({ needs, resources }: StuckCandidate): boolean => {
      if (!needs) return true;
      const known = answers.get(needs) ?? this.#canStart(needs, resources);
      answers.set(needs, known);
      return known;
    };
    return [...this.#stuck.values()].filter((job) => this.#isEnough(job) || (this.#areAllMet(job) && canStart(job)));
  }

  #endReleases(job: StuckCandidate): boolean {
    return this.#isEnough(job) || (!job.needs && this.#areAllMet(job));
  }

  #isEnough({ awaits }: StuckCandidate): boolean {
    return awaits.some(({ jobId, isEnough }) => isEnough && !this.#stuck.has(jobId));
  }

  #areAllMet({ awaits }: StuckCandidate): boolean {
    return awaits.every(({ jobId }) => !this.#stuck.has(jobId));
  }

  #giveBack({ jobId, held }: StuckCandidate): void {
    if (!held) return;
    for (const key of held.limitKeys) this.#byLimit.get(key)?.delete(jobId);
    this.#bySession.get(held.sessionId)?.delete(jobId);
  }

  #canStart({ limits, sessions }: Needs, resources: Amounts): boolean {
    if (limits.some((limit) => this.#isFull(limit))) return false;
    return sessions.length === 0 || sessions.some((session) => this.#hasCapacity(session, resources));
  }

  /** Counts stuck jobs only: the others will release their slots. */
  #isFull({ key, places }: LimitedPlaces): boolean {
    const held = this.#byLimit.get(key)?.size ?? 0;
    return held > 0 && held >= places;
  }

  #hasCapacity({ sessionId, slots, resources: total }: SessionPlaces, needed: Amounts): boolean {
    const held = [...(this.#bySession.get(sessionId) ?? [])];
    if (held.length === 0) return true;
    const taken = held.map((jobId) => ({ resources: this.#jobs.get(jobId)?.resources ?? {}, jobs: 1 }));
    return held.length < slots && fitCount(needed, total, taken) > 0;
  }
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}
