/** Starts waits that are ready; those whose signal came earlier end at once, in the same transaction. */

import { systemFailure } from '../../domain/base/payload.ts';
import type { Change, OpenRun } from '../../domain/jobs/run.ts';
import { takeKept } from '../../domain/signals/signal-queue.ts';
import { decideBeginWait, decideEndWait, type SignalWait } from '../../domain/signals/wait.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { DbClock } from '../base/db-clock.ts';
import { derivedUuid } from '../base/derived-ids.ts';
import { EngineError } from '../base/errors.ts';
import type { ChangesWithin } from '../jobs/change/changes.ts';
import type { JobKeysOf } from '../jobs/submit/job-keys.ts';
import type { AwaitedSignal, KeySource, NewSignalWait } from '../ports/signals.ts';
import type { Results } from '../workflows/results.ts';

export interface BeginParts {
  readonly results: Results;
  readonly keys: JobKeysOf;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
}

interface Begun {
  readonly run: OpenRun;
  readonly namespace: string;
  readonly signal: SignalWait;
}

export function awaitedSignal(namespace: string, name: string, key: string): AwaitedSignal {
  return { signalKeyId: derivedUuid(`signal ${JSON.stringify([namespace, name, key])}`), name, key };
}

/** Starts up to `limit` ready waits of these lanes. Resolves with all changes. */
export async function beginWaits(
  parts: BeginParts,
  within: ChangesWithin,
  laneIds: readonly number[],
  limit: number,
): Promise<Change[]> {
  const started = await within.apply({ by: 'workflows', laneIds, limit }, decideBeginWait);
  const begun = started.flatMap(({ run }): Begun[] => {
    const { namespace, definitionBody } = within.laneOf(run.laneId);
    return definitionBody.wait?.kind === 'SIGNAL' ? [{ run, namespace, signal: definitionBody.wait }] : [];
  });
  if (begun.length === 0) return started;
  return [...started, ...(await endThose(within, begun, await outcomesOf(parts, within, begun)))];
}

/** Outcomes of waits that need not wait. The others are recorded as waiting. */
async function outcomesOf(
  parts: BeginParts,
  within: ChangesWithin,
  begun: readonly Begun[],
): Promise<Map<string, WorkflowOutcome>> {
  const { store } = within;
  const outcomes = new Map<string, WorkflowOutcome>();
  const waits = await waitsOf(parts, within, begun, outcomes);
  const signalKeyIds = waits.map(({ signalKeyId }) => signalKeyId);
  await store.waits.lockKeys(signalKeyIds);
  const kept = await store.waits.takeKept(signalKeyIds, parts.dbClock.nowUs());
  const { taken, waiting } = takeKept(waits, kept);
  await store.waits.insertSignalWaits(waiting);
  const laneOf = new Map(begun.map(({ run }) => [run.jobId, run.laneId]));
  for (const { wait, signal } of taken) {
    const lane = within.laneOf(laneOf.get(wait.jobId) as number);
    const outcome = { state: 'SUCCEEDED', result: signal.payload } as const;
    outcomes.set(wait.jobId, await parts.results.judge(store, lane, outcome));
  }
  return outcomes;
}

async function waitsOf(
  { keys }: BeginParts,
  { store }: ChangesWithin,
  begun: readonly Begun[],
  outcomes: Map<string, WorkflowOutcome>,
): Promise<NewSignalWait[]> {
  const keyed = begun.filter(({ signal }) => signal.key).map(({ run }) => run.jobId);
  const sources = keyed.length > 0 ? await store.waits.readKeySources(keyed) : [];
  const byJob = new Map(sources.map((source) => [source.jobId, source]));
  return begun.flatMap(({ run: { jobId }, namespace, signal }) => {
    const key = keyOf(keys, signal, byJob.get(jobId));
    if (typeof key === 'string') return [{ jobId, ...awaitedSignal(namespace, signal.name, key) }];
    outcomes.set(jobId, key);
    return [];
  });
}

/** The key had a value at submission; if it has none now, the wait ends as failed, since no signal could end it. */
function keyOf(keys: JobKeysOf, signal: SignalWait, source: KeySource | undefined): string | WorkflowOutcome {
  if (!signal.key) return '';
  try {
    if (source) return keys.signalKey(signal, source);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { state: 'FAILED', failure: systemFailure('APPLICATION', 'NoSignalKey', error.message) };
  }
  return { state: 'FAILED', failure: systemFailure('INTERNAL', 'NoSignalKey', 'its input is not there') };
}

async function endThose(
  { apply }: ChangesWithin,
  begun: readonly Begun[],
  outcomes: ReadonlyMap<string, WorkflowOutcome>,
): Promise<Change[]> {
  const byNamespace = Map.groupBy(
    begun.filter(({ run }) => outcomes.has(run.jobId)),
    ({ namespace }) => namespace,
  );
  const ended: Change[] = [];
  for (const [namespace, those] of byNamespace) {
    const jobIds = those.map(({ run }) => run.jobId);
    const made = await apply({ by: 'jobs', namespace, jobIds }, (run) =>
      decideEndWait(run, outcomes.get(run.jobId) as WorkflowOutcome),
    );
    ended.push(...made);
  }
  return ended;
}
