/** Dependents of jobs, steps and assets, settled by the ends and publications that concern them. */
import type { JobState } from '../jobs/job-state.ts';
import type { StepState } from '../workflows/step-state.ts';
import { type Dependency, type Ending, isMet, unmetText } from './dependencies.ts';

export interface EdgeKey {
  readonly jobId: string;
  readonly number: number;
}

export interface EndedEdge extends EdgeKey {
  /** By the entry of a workflow's end: the state of the step; otherwise undefined. */
  readonly stepState: StepState | undefined;
}

/** An entry of the job inbox, with one of the edges that it concerns. */
export interface EndEntry {
  readonly rowId: number;
  readonly kind: 'JOB_ENDED' | 'STEP_ENDED' | 'ASSET_PUBLISHED';
  /** The job, the step or the asset. */
  readonly subjectId: string;
  /** Undefined: an asset was published. */
  readonly state: JobState | undefined;
  /** Of a job. */
  readonly laneId: number | undefined;
  readonly timeUs: number;
  /** Undefined: nothing depends on it. */
  readonly edge: EndedEdge | undefined;
}

/** A job with edges, locked. */
export interface LockedDependent {
  readonly jobId: string;
  readonly namespace: string;
  readonly unmetDependencies: number;
}

/** A job whose wait for dependencies is over. */
export interface Settled {
  readonly namespace: string;
  readonly jobId: string;
  /** Undefined: all dependencies are met. Else why the job ends. */
  readonly unmet: string | undefined;
}

export interface Settlement {
  readonly settled: readonly Settled[];
  /** Jobs with the number of edges that were taken. */
  readonly met: readonly { readonly jobId: string; readonly edges: number }[];
}

const keyOf = ({ jobId, number }: EdgeKey) => `${jobId}/${number}`;

/** The edges that the entries concern, each once. */
export function edgesOf(entries: readonly EndEntry[]): EndedEdge[] {
  const edges = entries.flatMap(({ edge }) => edge ?? []);
  return [...new Map(edges.map((edge) => [keyOf(edge), edge])).values()];
}

/** Each job with its edges that were taken: it waits for fewer, or ends. */
export function settleDependents(
  locked: readonly LockedDependent[],
  taken: readonly (EdgeKey & Dependency)[],
  entries: readonly EndEntry[],
): Settlement {
  const endings = endingsOf(entries);
  const byJob = Map.groupBy(taken, ({ jobId }) => jobId);
  const settled: Settled[] = [];
  for (const { jobId, unmetDependencies, namespace } of locked) {
    const edges = byJob.get(jobId) ?? [];
    if (edges.length === 0) continue;
    let unmet: string | undefined;
    for (const edge of edges) {
      const ending = endings.get(keyOf(edge)) as Ending;
      if (!isMet(edge.condition, ending)) unmet ??= unmetText(edge, ending);
    }
    if (unmet !== undefined || unmetDependencies === edges.length) settled.push({ namespace, jobId, unmet });
  }
  return { settled, met: Array.from(byJob, ([jobId, edges]) => ({ jobId, edges: edges.length })) };
}

/** By edge. A step's own entry takes precedence over the entry of its workflow's end. */
function endingsOf(entries: readonly EndEntry[]): Map<string, Ending> {
  const [own, ofWorkflows]: [[string, Ending][], [string, Ending][]] = [[], []];
  for (const entry of entries) {
    if (!entry.edge) continue;
    (entry.edge.stepState === undefined ? own : ofWorkflows).push([keyOf(entry.edge), endingOf(entry, entry.edge)]);
  }
  return new Map([...ofWorkflows, ...own]);
}

/** For a step that a workflow left without an end: it was never started. */
function endingOf({ kind, state }: EndEntry, { stepState }: EndedEdge): Ending {
  if (stepState !== undefined) return stepState === 'WAITING' || stepState === 'RUNNING' ? 'SKIPPED' : stepState;
  return kind === 'ASSET_PUBLISHED' ? 'SUCCEEDED' : (state as Ending);
}
