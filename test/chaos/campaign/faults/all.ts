/** All faults that last. */

import type { Segment } from '../plan.ts';
import { busFaults } from './bus.ts';
import { clientFaults } from './clients.ts';
import { clockFaults } from './clock.ts';
import { databaseFaults } from './database.ts';
import { diskFaults } from './disks.ts';
import { expressionFaults } from './expressions.ts';
import { failoverFaults } from './failover.ts';
import type { Fault } from './fault.ts';
import { fenceFaults } from './fence.ts';
import { fileFaults } from './files.ts';
import { largeFaults } from './large.ts';
import { partitionFaults } from './partitions.ts';
import { readerFaults } from './readers.ts';
import { replicaFaults } from './replicas.ts';
import { resourceFaults } from './resources.ts';
import { restoreFaults } from './restore.ts';
import { upgradeFaults } from './upgrades.ts';
import { wallClockFaults } from './wall-clocks.ts';

const lastingFaults: readonly Fault[] = [
  ...replicaFaults,
  ...databaseFaults,
  ...diskFaults,
  ...failoverFaults,
  ...restoreFaults,
  ...clockFaults,
  ...wallClockFaults,
  ...busFaults,
  ...partitionFaults,
  ...clientFaults,
  ...fenceFaults,
  ...readerFaults,
  ...expressionFaults,
  ...fileFaults,
  ...resourceFaults,
  ...upgradeFaults,
  ...largeFaults,
];

/** @param parts Parts of the names of the faults that are wanted. */
export function faultsOf(plan: Segment, parts: readonly string[] = ['']): readonly Fault[] {
  const unknown = parts.find((part) => !lastingFaults.some(({ name }) => name.includes(part)));
  if (unknown !== undefined) throw new Error(`no fault has "${unknown}" in its name`);
  const named = lastingFaults.filter(({ name }) => parts.some((part) => name.includes(part)));
  if (plan.kind === 'crashes') return [];
  const losesTail = plan.kind === 'lost tail';
  const fitting = named.filter((fault) => (fault.losesTail ?? false) === losesTail && (fault.fits?.(plan) ?? true));
  return plan.kind === 'soak' ? fitting.filter(({ endsReplicas }) => !endsReplicas) : fitting;
}
