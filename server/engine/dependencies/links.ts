/** Trace links from a job's span to the jobs that it depended on. */
import { MAX_LINKS, type TracedJob } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';
import type { NeededStep } from '../ports/events.ts';
import type { Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

/** Max jobs or steps per lookup. */
const MAX_KEYS = 1_000;

export interface DependencyLinksParts {
  readonly store: Pick<Store, 'readTraceOrigins' | 'stepTraces'>;
  readonly log: Log;
}

export class DependencyLinks {
  readonly #parts: DependencyLinksParts;

  constructor(parts: DependencyLinksParts) {
    this.#parts = parts;
  }

  /** By job id, for at most 100 jobs. Never rejects: if the read fails, spans have no links. */
  async of(jobs: readonly TracedJob[]): Promise<ReadonlyMap<string, readonly TraceOrigin[]>> {
    const dependent = jobs.filter(({ dependsOn = [] }) => dependsOn.length > 0);
    if (dependent.length === 0) return new Map();
    try {
      const [origins, ofSteps] = await Promise.all([this.#originsOf(dependent), this.#jobsOfSteps(dependent)]);
      return new Map(
        dependent.map(({ jobId, dependsOn = [] }) => {
          const whole = dependsOn.flatMap((one) => (one.step === undefined ? (origins.get(one.jobId) ?? []) : []));
          const all = [...whole, ...(ofSteps.get(jobId) ?? [])];
          return [jobId, [...new Map(all.map((one) => [one.jobId, one])).values()].slice(0, MAX_LINKS)];
        }),
      );
    } catch (error) {
      this.#parts.log.warn(
        { error: String(error) },
        'dependencies of jobs could not be read; their spans have no links',
      );
      return new Map();
    }
  }

  async #originsOf(jobs: readonly TracedJob[]): Promise<ReadonlyMap<string, TraceOrigin>> {
    const ids = new Set(
      jobs.flatMap(({ dependsOn = [] }) => dependsOn.flatMap(({ jobId, step }) => (step === undefined ? [jobId] : []))),
    );
    const found: TraceOrigin[] = [];
    for (const some of pages([...ids])) found.push(...(await this.#parts.store.readTraceOrigins(some)));
    return new Map(found.map((one) => [one.jobId, one]));
  }

  async #jobsOfSteps(jobs: readonly TracedJob[]): Promise<ReadonlyMap<string, readonly TraceOrigin[]>> {
    const steps = jobs.flatMap(({ jobId: of, dependsOn = [] }) => {
      const most = Math.max(1, Math.floor(MAX_LINKS / dependsOn.length));
      return dependsOn.flatMap(({ jobId, step }): NeededStep[] =>
        step === undefined ? [] : [{ of, workflowJobId: jobId, step, most }],
      );
    });
    const found = new Map<string, TraceOrigin[]>();
    for (const some of pages(steps))
      for (const { of, ...origin } of await this.#parts.store.stepTraces.readNeededJobs(some))
        found.set(of, [...(found.get(of) ?? []), origin]);
    return found;
  }
}

function pages<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MAX_KEYS) }, (_, i) =>
    all.slice(i * MAX_KEYS, (i + 1) * MAX_KEYS),
  );
}
