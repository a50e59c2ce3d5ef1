/**
 * Deadlocks: jobs that wait in a circle, through each other's ends and through the places that they hold. What can go on is
 * taken away, with all that it holds, until nothing more can; what is left waits for ever. A job that is not told of can end.
 */
import { type Amounts, fitCount } from '../dispatch/resources.ts';

/** One thing that a job waits for the end of. */
export interface AwaitedEnd {
  readonly jobId: string;
  /** Of a workflow that is waited for; undefined: the job itself is meant. */
  readonly step?: string | undefined;
  /**
   * That end may be enough, whatever else is waited for: a failure lets a dependent be skipped, and a handler may be content with
   * the first of several. Else all of them have to come about.
   */
  readonly isEnough: boolean;
}

/** A limit on how many jobs workers may have at once. */
export interface LimitedPlaces {
  readonly key: string;
  /** For people, behind "a place": `in queue q (max_concurrency 1)`. */
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

/** What a job takes before a worker can have it. */
export interface Needs {
  /** A place under each of them. */
  readonly limits: readonly LimitedPlaces[];
  /** Those that could run it, were they empty; one of them is needed. None: it waits for a worker, who may come any time. */
  readonly sessions: readonly SessionPlaces[];
}

export interface StuckCandidate {
  readonly jobId: string;
  /** For people. */
  readonly state: string;
  /** Whose worker has it; undefined: it holds nothing. */
  readonly held:
    | { readonly sessionId: string; readonly workerName: string; readonly limitKeys: readonly string[] }
    | undefined;
  /** What it takes of a session, or would; the same for all that share their needs. */
  readonly resources: Amounts;
  readonly awaits: readonly AwaitedEnd[];
  /** Undefined: nothing, since it has it already, or the control plane runs it. */
  readonly needs: Needs | undefined;
}

/** What a job that is stuck waits for: the end of another, or a place that others hold. */
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

  /** By id. */
  get stuck(): ReadonlyMap<string, StuckCandidate> {
    return this.#stuck;
  }

  /** Why a stuck job is. At least one; each leads to stuck jobs alone. */
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

  /** Jobs that need the same share the answer: they are many where their places are few. */
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

  /** By those alone that are stuck: the others give their places back. */
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
