/** Every measure, in the order in which they are taken. */
import type { Measure } from '../measure.ts';
import { backlog } from './backlog.ts';
import { cancel } from './cancel.ts';
import { halfLoad } from './half-load.ts';
import { idleLatency } from './idle-latency.ts';
import { killedWorker } from './killed-worker.ts';
import { overload } from './overload.ts';
import { wholeLifeMeasure } from './whole-life.ts';

export const measures: readonly Measure[] = [
  wholeLifeMeasure,
  idleLatency,
  halfLoad,
  backlog,
  cancel,
  overload,
  killedWorker,
];
