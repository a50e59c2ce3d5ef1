/** Back-pressure: refuses jobs for full queues, except those that an earlier call has already stored. */

import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import type { IdempotencyKey } from '../../../domain/jobs/idempotency-key.ts';
import type { BacklogBound } from '../../../domain/queues/backlog.ts';
import type { DbClock } from '../../base/db-clock.ts';
import type { EngineError } from '../../base/errors.ts';
import type { QueueName } from '../../ports/queues.ts';
import type { Store } from '../../ports/store.ts';
import type { SubmitResult } from '../../ports/submissions.ts';
import type { Backlogs, QueueEntrant, Refused } from '../../queues/backlogs.ts';
import type { QueueBacklog } from '../../queues/queue-backlog.ts';
import { queueFull } from '../../queues/queue-full.ts';
import { pathsOf, type Submit } from './call.ts';
import { startOf } from './new-jobs.ts';

export interface AdmissionParts {
  readonly store: Pick<Store, 'findSubmission' | 'readKeyOwners'>;
  readonly backlogs: Backlogs;
  readonly clock: DbClock;
  /** Called for each refused call. */
  readonly onQueueFull: (queue: QueueName, bound: BacklogBound) => void;
}

/** Policies under which a job that holds the key is the only result of the submission. */
const keeping: ReadonlySet<IdempotencyKey['policy']> = new Set(['FAIL', 'USE_EXISTING']);

export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Stores an admitted call; a refused repeat gets its earlier answer. Rejects with QUEUE_FULL, or as `store`. */
  admit(
    request: Submit,
    definitions: readonly JobDefinition[],
    keys: readonly IdempotencyKey[],
    store: () => Promise<SubmitResult>,
  ): Promise<SubmitResult> {
    if (!this.#parts.backlogs.hasBounds || request.ignoresBounds) return store();
    return this.#admit(request, definitions, keys, store);
  }

  async #admit(
    request: Submit,
    definitions: readonly JobDefinition[],
    keys: readonly IdempotencyKey[],
    store: () => Promise<SubmitResult>,
  ): Promise<SubmitResult> {
    const { backlogs } = this.#parts;
    let lines = this.#linesOf(request, definitions);
    let refused = await backlogs.admit(lines);
    if (refused) {
      const before = request.requestId ? await this.#parts.store.findSubmission(request) : undefined;
      if (before) return before;
      const known = await this.#storedBefore(request, keys);
      if (known.size > 0) {
        lines = this.#linesOf(request, definitions, known);
        refused = await backlogs.admit(lines);
      }
    }
    if (refused) throw this.#refusalOf(refused, request);
    return store().finally(() => backlogs.settle(lines));
  }

  #refusalOf(refused: Refused, { field }: Submit): EngineError {
    this.#parts.onQueueFull(refused.queue.name, refused.overrun.bound);
    return queueFull(refused, pathsOf(field)(refused.index));
  }

  /** The jobs of a call by queue, for queues with bounds. */
  #linesOf(
    { namespace, submissions }: Submit,
    definitions: readonly JobDefinition[],
    without: ReadonlySet<number> = new Set(),
  ): Map<QueueBacklog, QueueEntrant[]> {
    const lines = new Map<QueueBacklog, QueueEntrant[]>();
    const found = new Map<string, QueueBacklog | undefined>();
    const nowUs = this.#parts.clock.nowUs();
    for (const [index, submission] of submissions.entries()) {
      const definition = definitions[index] as JobDefinition;
      const name = submission.queue || definition.queue;
      if (!found.has(name)) found.set(name, this.#parts.backlogs.find(namespace, name));
      const queue = found.get(name);
      if (!queue || without.has(index)) continue;
      const isReady = startOf(submission, definition, nowUs) <= nowUs;
      const line = lines.get(queue) ?? [];
      lines.set(queue, line);
      line.push({ index, priority: submission.priority ?? definition.priority, isReady });
    }
    return lines;
  }

  /** Indexes of jobs whose key belongs to a job that is kept: they add nothing to a queue. */
  async #storedBefore({ namespace }: Submit, keys: readonly IdempotencyKey[]): Promise<Set<number>> {
    const kept = keys.filter(({ policy }) => keeping.has(policy));
    if (kept.length === 0) return new Set();
    const names = kept.map(({ key }) => key);
    const held = await this.#parts.store.readKeyOwners(namespace, names);
    return new Set(kept.filter(({ key }) => held.has(key)).map(({ index }) => index));
  }
}
