/** Sends the control plane's spans that were ended by changes of jobs. */

import { uuidFromBytes } from '../../domain/base/uuid.ts';
import { closedSpans, closesSpans, type SpanChange } from '../../domain/events/closed-spans.ts';
import { type JobSpan, jobSpans, type TracedJob } from '../../domain/events/job-spans.ts';
import { isSampled } from '../../domain/events/trace.ts';
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { DependencyLinks } from '../dependencies/links.ts';
import type { Log, Tracing } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import { StepLinks, type StepLinksParts } from '../workflows/steps/links.ts';

/** A change of jobs, from an outbox row. */
export interface PublishedChange extends SpanChange {
  /** Sixteen bytes each. */
  readonly jobIds: Uint8Array;
}

export interface SpanRelayParts extends Tracing {
  readonly store: Pick<Store, 'readTraceOrigins' | 'readTracedJobs' | 'stepTraces'>;
  readonly lanes: StepLinksParts['lanes'];
  readonly log: Log;
}

interface ChangeOfJob {
  readonly jobId: string;
  readonly change: SpanChange;
}

const ID_BYTES = 16;
/** Max jobs per read. */
const MAX_JOBS = 500;

export class SpanRelay {
  readonly #parts: SpanRelayParts;
  readonly #steps: StepLinks;
  readonly #dependencies: DependencyLinks;

  constructor(parts: SpanRelayParts) {
    this.#parts = parts;
    const { store, lanes, log } = parts;
    this.#steps = new StepLinks({ store: store.stepTraces, lanes, log });
    this.#dependencies = new DependencyLinks({ store, log });
  }

  /**
   * Resolves once the spans that ended with these changes are sent, or given up. A repeated call sends equal spans
   * under the same ids. Never rejects: traces must not hold up the relay of events.
   */
  async publishSpans(changes: readonly PublishedChange[]): Promise<void> {
    const closing = changes.filter(closesSpans).flatMap(eachJob);
    for (let at = 0; at < closing.length; at += MAX_JOBS) {
      try {
        const spans = await this.#spansOf(closing.slice(at, at + MAX_JOBS));
        if (spans.length > 0) await this.#parts.exporter.export(spans);
      } catch (error) {
        this.#parts.log.warn({ error: String(error) }, 'spans of jobs could not be sent');
        return;
      }
    }
  }

  async #spansOf(changes: readonly ChangeOfJob[]): Promise<JobSpan[]> {
    const { store, sampling } = this.#parts;
    const origins = await store.readTraceOrigins([...new Set(changes.map(({ jobId }) => jobId))]);
    const kept = origins.filter((origin) => isSampled(origin, sampling)).map(({ jobId }) => jobId);
    if (kept.length === 0) return [];
    const jobs = await store.readTracedJobs(kept);
    // Only a job's own span links to other jobs; it is sent when the job has ended.
    const ended = new Set(changes.flatMap(({ jobId, change }) => (isTerminal(change.state) ? [jobId] : [])));
    const over = jobs.filter(({ jobId }) => ended.has(jobId));
    const [needed, targets] = await Promise.all([this.#steps.of(over), this.#dependencies.of(over)]);
    const linked = ({ jobId }: TracedJob) => ({ needed: needed.get(jobId), targets: targets.get(jobId) });
    const spans = new Map(jobs.map((job) => [job.jobId, jobSpans(job, linked(job))]));
    return changes.flatMap(({ jobId, change }) => closedSpans(change, spans.get(jobId) ?? []));
  }
}

function eachJob(change: PublishedChange): ChangeOfJob[] {
  return Array.from({ length: change.jobIds.length / ID_BYTES }, (_, n) => ({
    jobId: uuidFromBytes(change.jobIds, n * ID_BYTES),
    change,
  }));
}
