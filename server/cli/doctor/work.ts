/** Checks whether waiting jobs can run: compares workers, definitions, queues and breakers. */
import {
  type CircuitBreakerStatus,
  CircuitState,
  type JobDefinition,
  type Queue,
  type QueueCounts,
  SessionState,
  type Worker,
} from '@muster-jobs/sdk/grpc';
import { countText } from '../../view/times.ts';
import { type Finding, finding, some } from './finding.ts';

/** Whether the worker is assigned jobs at all. */
function takesJobs({ state, deaf, draining }: Worker): boolean {
  return state === SessionState.OPEN && !deaf && !draining;
}

export function isServed(definition: JobDefinition, workers: readonly Worker[]): boolean {
  const { body, name, version } = definition;
  if (body.case !== 'task') return true; // the control plane runs these
  const handler = body.value.handler || name;
  return workers
    .filter(takesJobs)
    .some(({ handlers }) =>
      handlers.some(
        (one) =>
          one.name === handler &&
          (one.minVersion === 0 || one.minVersion <= version) &&
          (one.maxVersion === 0 || version <= one.maxVersion),
      ),
    );
}

const nameOf = ({ name, sessionId }: Worker) => `${name} (${sessionId})`;

export function checkWorkers(workers: readonly Worker[]): Finding[] {
  if (workers.length === 0) {
    const next = 'start one: the README has a worker in ten lines';
    return [finding('workers', 'WARNING', 'none is connected: no job is run', next)];
  }
  const deaf = workers.filter((worker) => worker.deaf);
  const draining = workers.filter((worker) => worker.draining);
  const able = workers.filter(takesJobs).length;
  const next = "its connection to NATS is broken, or its credentials are wrong: see the worker's log";
  return [
    finding('workers', able > 0 ? 'OK' : 'WARNING', `${workers.length} connected, ${able} of them take jobs`),
    ...(deaf.length > 0
      ? [finding('workers', 'ERROR', `deaf, so nothing is assigned to them: ${some(deaf.map(nameOf))}`, next)]
      : []),
    ...(draining.length > 0
      ? [finding('workers', 'NOTE', `draining, so they take no more jobs: ${some(draining.map(nameOf))}`)]
      : []),
  ];
}

export function checkDefinitions(definitions: readonly JobDefinition[], workers: readonly Worker[]): Finding[] {
  const unserved = definitions.filter((definition) => !isServed(definition, workers));
  if (unserved.length === 0) return [finding('definitions', 'OK', `${definitions.length}, each with a worker for it`)];
  return [
    finding(
      'definitions',
      'WARNING',
      `no worker that takes jobs serves ${some(unserved.map(({ name, version }) => `${name}@${version}`))}`,
      'start a worker with a handler of that name, or muster definitions archive NAME',
    ),
  ];
}

export interface WaitingQueue {
  readonly queue: Queue;
  /** Definitions of its first ready jobs. */
  readonly definitions: readonly JobDefinition[];
}

export function checkQueues(
  queues: readonly Queue[],
  waiting: readonly WaitingQueue[],
  workers: readonly Worker[],
): Finding[] {
  const paused = queues.filter((queue) => queue.paused);
  const stuck = waiting.filter(
    ({ definitions }) => definitions.length > 0 && !definitions.some((definition) => isServed(definition, workers)),
  );
  const found = [
    ...paused.map(({ name, pauseReason, counts }) =>
      finding(
        'queues',
        'WARNING',
        `${name} is paused${pauseReason ? ` (${pauseReason})` : ''}, with ${readyText(counts)} in it`,
        `muster queues resume ${name} resumes it`,
      ),
    ),
    ...stuck.map(({ queue, definitions }) =>
      finding(
        'queues',
        'WARNING',
        `${queue.name} has ${readyText(queue.counts)}, and no worker for ${some(definitions.map(({ name }) => name))}`,
        'start a worker with a handler of that name',
      ),
    ),
  ];
  return found.length > 0 ? found : [finding('queues', 'OK', `${queues.length}, none paused or waiting for a worker`)];
}

function readyText(counts: QueueCounts | undefined): string {
  return countText(Number(counts?.ready ?? 0), 'ready job');
}

export function checkBreakers(breakers: readonly CircuitBreakerStatus[]): Finding[] {
  const open = breakers.filter(({ state }) => state !== CircuitState.CLOSED);
  if (open.length === 0) return [finding('breakers', 'OK', 'none is open')];
  return open.map(({ name, failureCount }) =>
    finding(
      'breakers',
      'WARNING',
      `${name} is open after ${failureCount} failureCount: its jobs wait`,
      `see why its jobs fail: muster list --dead-letters; muster breakers close ${name} closes it without the next probe`,
    ),
  );
}
