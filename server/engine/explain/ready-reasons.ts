/**
 * Why a ready job waits, if its record, its queue and its breaker do not say; used for reads of one job. Takes three or
 * four statements, without counting the queue; concurrent calls share the reads of sessions.
 */
import { noBlockers } from '../../domain/explain/constraint.ts';
import { jobConstraints } from '../../domain/explain/job-constraints.ts';
import type { WaitReason } from '../../domain/explain/wait-reasons.ts';
import { type OpenSession, workerReason } from '../../domain/explain/worker-constraints.ts';
import { Batcher } from '../base/batcher.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import { handlerOf, type Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { Preferences } from '../dispatch/preferences.ts';
import type { ExplainedRun } from '../ports/explanations.ts';
import type { JobView } from '../ports/jobs.ts';
import type { Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { OpenSessions } from '../sessions/open-sessions.ts';

/** These come before any other reason of a ready job. */
const said: ReadonlySet<WaitReason | undefined> = new Set(['QUEUE_PAUSED', 'CIRCUIT_BREAKER']);

export interface ReadyReasonsParts {
  readonly store: Pick<Store['explain'], 'readRun' | 'readLimits'>;
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
  readonly limits: Pick<Limits, 'laneOf'>;
  readonly sessions: Pick<OpenSessions, 'read'>;
  readonly preferences: Pick<Preferences, 'of' | 'withBars'>;
  readonly timers: Timers;
  readonly random: Random;
}

interface Found {
  readonly reason: WaitReason;
  readonly message: string;
}

export class ReadyReasons {
  readonly #parts: ReadyReasonsParts;
  /** The open sessions of a namespace. */
  readonly #open: Batcher<string, readonly OpenSession[]>;

  constructor(parts: ReadyReasonsParts) {
    const { sessions, timers, random } = parts;
    this.#parts = parts;
    const flush = async (namespaces: readonly string[]) => {
      const open = new Map<string, readonly OpenSession[]>();
      for (const namespace of new Set(namespaces)) open.set(namespace, await sessions.read(namespace));
      return namespaces.map((namespace) => open.get(namespace) ?? []);
    };
    this.#open = new Batcher({ name: 'reads of open sessions', flush, timers, random });
  }

  /** The job with its wait reason; unchanged if it is not ready, or not for workers. */
  async withReason(view: JobView): Promise<JobView> {
    if (view.state !== 'READY' || said.has(view.waitReason)) return view;
    const run = await this.#parts.store.readRun(view.jobId);
    if (run?.state !== 'READY') return view;
    const lane = await laneOf(this.#parts.lanes, run.laneId);
    if (lane.definitionBody.workflow || lane.definitionBody.wait) return view;
    const held = await this.#heldBy(view, run, lane);
    if (held) return { ...view, waitReason: held.reason, reason: held.message };
    return withWorkerReason(view, await this.#ofWorkers(view, run, lane));
  }

  async #heldBy({ jobId }: JobView, run: ExplainedRun, lane: KnownLane): Promise<Found | undefined> {
    const { store, limits } = this.#parts;
    const query = { ...limits.laneOf(lane), limitId: run.limitId };
    const found = lane.cleanup ? [] : (await store.readLimits(query)).limits;
    const all = found.map((limit) => {
      return { ...limit, blockers: noBlockers, isDeferred: limit.reason === 'KEY_LIMIT' && run.atLimit };
    });
    return jobConstraints({ ...run, job: { ...run, jobId }, limits: all })[0];
  }

  async #ofWorkers({ namespace }: JobView, run: ExplainedRun, lane: KnownLane): Promise<Found> {
    const { preferences } = this.#parts;
    return workerReason({
      work: { lane, handler: handlerOf(lane) },
      sessions: preferences.withBars(await this.#open.add(namespace), lane, run.nowUs),
      suspects: run.suspect ? noBlockers : undefined,
      preference: preferences.of(lane, run.nowUs),
    });
  }
}

/**
 * A reason from its record or its demands is more specific than IN_LINE. If both are the same, the record's text is
 * kept.
 */
function withWorkerReason(view: JobView, { reason, message }: Found): JobView {
  if (view.waitReason === reason) return view;
  if (reason !== 'IN_LINE') return { ...view, waitReason: reason, reason: message };
  if (view.waitReason !== undefined) return view;
  return { ...view, waitReason: reason, reason: view.reason || message };
}

export async function laneOf(lanes: Pick<Lanes, 'load' | 'get'>, laneId: number): Promise<KnownLane> {
  if (!lanes.get(laneId)) await lanes.load([laneId]);
  const lane = lanes.get(laneId);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  return lane;
}
