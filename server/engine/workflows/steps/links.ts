/** Trace links from a step's span to the jobs of the steps that it needs. */
import { MAX_LINKS, type TracedJob, type TracedStep } from '../../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../../domain/events/trace.ts';
import { compensatedStep } from '../../../domain/workflows/compensation.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { NeededStep, StepTraces } from '../../ports/events.ts';
import type { Log } from '../../ports/ports.ts';
import { bodyOf } from '../bodies.ts';

/** Max steps per lookup. */
const MAX_KEYS = 1_000;

export interface StepLinksParts {
  readonly store: StepTraces;
  readonly lanes: Pick<Lanes, 'get' | 'load'>;
  readonly log: Log;
}

const keyOf = ({ workflowJobId, step }: TracedStep) => `${workflowJobId}/${step}`;

export class StepLinks {
  readonly #parts: StepLinksParts;

  constructor(parts: StepLinksParts) {
    this.#parts = parts;
  }

  /**
   * By the id of a step's job: at most 100 jobs, made before it. Never rejects: if the read fails, spans have no links.
   */
  async of(jobs: readonly TracedJob[]): Promise<ReadonlyMap<string, readonly TraceOrigin[]>> {
    const steps = new Map<string, TracedStep>();
    for (const { step } of jobs) if (step && compensatedStep(step.step) === undefined) steps.set(keyOf(step), step);
    if (steps.size === 0) return new Map();
    try {
      const needed = await this.#jobsOf(await this.#needsOf([...steps.values()]));
      return new Map(
        jobs.flatMap(({ jobId, step }) => {
          const links = (step && needed.get(keyOf(step)))?.filter((origin) => origin.jobId < jobId) ?? [];
          return links.length > 0 ? [[jobId, links]] : [];
        }),
      );
    } catch (error) {
      this.#parts.log.warn(
        { error: String(error) },
        'needed steps could not be read; the spans of their successors have no links',
      );
      return new Map();
    }
  }

  /** What steps of workflows need, without those that need nothing. */
  async #needsOf(steps: readonly TracedStep[]): Promise<NeededStep[]> {
    const { store, lanes } = this.#parts;
    const laneIds = await store.readLaneIds([...new Set(steps.map(({ workflowJobId }) => workflowJobId))]);
    await lanes.load([...new Set(laneIds.values())]);
    return steps.flatMap((step) => {
      const definition = lanes.get(laneIds.get(step.workflowJobId) ?? -1)?.definitionBody;
      if (!definition?.workflow) return [];
      const needs = bodyOf(definition).graph.needs(step.step).slice(0, MAX_LINKS);
      const most = Math.floor(MAX_LINKS / needs.length);
      return needs.map((number) => ({ of: keyOf(step), workflowJobId: step.workflowJobId, step: number, most }));
    });
  }

  async #jobsOf(needs: readonly NeededStep[]): Promise<ReadonlyMap<string, readonly TraceOrigin[]>> {
    const found = new Map<string, TraceOrigin[]>();
    for (let at = 0; at < needs.length; at += MAX_KEYS)
      for (const { of, ...origin } of await this.#parts.store.readNeededJobs(needs.slice(at, at + MAX_KEYS)))
        found.set(of, [...(found.get(of) ?? []), origin]);
    return found;
  }
}
