/** Counts submissions refused by full queues, with a bounded number of names. */
import type { Counter } from '@opentelemetry/api';
import type { BacklogBound } from '../../domain/queues/backlog.ts';
import type { QueueName } from '../../engine/ports/queues.ts';
import { mostNames, OTHER } from './catalogue.ts';

export type RefusalMeter = (queue: QueueName, bound: BacklogBound) => void;

export function refusalMeter(refused: Counter): RefusalMeter {
  const reported = new Set<string>();
  return ({ namespace, name }, bound) => {
    const key = `${namespace}/${name}`;
    if (reported.size < mostNames.queues) reported.add(key);
    const names = reported.has(key) ? [namespace, name] : [OTHER, OTHER];
    refused.add(1, { 'muster.namespace': names[0], 'muster.queue': names[1], 'muster.queue.bound': bound });
  };
}
