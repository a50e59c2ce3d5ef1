/** Converts filters of jobs between the contract and the core: one check for all requests that have one. */

import { create } from '@bufbuild/protobuf';
import { JobState as WireState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobFilterSchema, type JobFilter as WireFilter } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { isUuid } from '../../domain/base/uuid.ts';
import type { JobFilter } from '../../domain/jobs/job-filter.ts';
import { type JobState, stateOf } from '../../domain/jobs/job-state.ts';
import { checkDottedName, checkLabelFilter, checkName, checkText, isKnown, timestampUs } from '../base/checks.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';

const MAX_ENTRIES = 64;
const MAX_TYPE = 256;

const FIELD = 'filter';

/** Checks the field `filter` of a request. Unset: every job. */
export function jobFilterFrom(wire: WireFilter = create(JobFilterSchema), violations: Violations): JobFilter {
  const { definition, queue, labels, failureTypes } = wire;
  if (definition) checkDottedName(definition, `${FIELD}.definition`, violations);
  if (queue) checkName(queue, `${FIELD}.queue`, violations);
  checkLabelFilter(labels, MAX_ENTRIES, `${FIELD}.labels`, violations);
  checkFailureTypes(failureTypes, `${FIELD}.failure_types`, violations);
  return {
    states: statesFrom(wire.states, `${FIELD}.states`, violations),
    definition: definition || undefined,
    queue: queue || undefined,
    labels: sortedMap(labels),
    ...windowFrom(wire, violations),
    failureTypes: [...new Set(failureTypes)].sort(),
    parentJobId: parentFrom(wire.parentJobId, `${FIELD}.parent_job_id`, violations),
    softDeadlineMissed: wire.softDeadlineMissed || undefined,
  };
}

/** Without duplicates and sorted, as are labels and types: equal filters give equal texts, see `filterText`. */
export function statesFrom(states: readonly WireState[], field: string, violations: Violations): JobState[] {
  violations.check(
    states.length <= MAX_ENTRIES,
    field,
    `has ${states.length} entries; at most ${MAX_ENTRIES} are allowed`,
  );
  const unknown = states.find((state) => state === WireState.UNSPECIFIED || !isKnown(WireState, state));
  violations.check(unknown === undefined, field, `has the unknown state ${unknown}; leave it empty for all states`);
  return unknown === undefined ? [...new Set(states)].sort((a, b) => a - b).map(stateOf) : [];
}

function checkFailureTypes(types: readonly string[], field: string, violations: Violations): void {
  violations.check(
    types.length <= MAX_ENTRIES,
    field,
    `has ${types.length} entries; at most ${MAX_ENTRIES} are allowed`,
  );
  for (const [i, type] of types.slice(0, MAX_ENTRIES).entries()) {
    violations.check(type !== '', `${field}[${i}]`, 'is empty; every failure has a type');
    checkText(type, MAX_TYPE, `${field}[${i}]`, violations);
  }
}

function parentFrom(jobId: string, field: string, violations: Violations): string | undefined {
  if (jobId === '') return undefined;
  violations.check(isUuid(jobId), field, 'must be the id of a job as SubmitJob returned it, or empty');
  return jobId.toLowerCase();
}

function windowFrom(wire: WireFilter, violations: Violations): Pick<JobFilter, 'minCreateTimeUs' | 'maxCreateTimeUs'> {
  const minCreateTimeUs = timestampUs(wire.minCreateTime, `${FIELD}.min_create_time`, violations);
  const maxCreateTimeUs = timestampUs(wire.maxCreateTime, `${FIELD}.max_create_time`, violations);
  violations.check(
    minCreateTimeUs === undefined || maxCreateTimeUs === undefined || minCreateTimeUs < maxCreateTimeUs,
    `${FIELD}.min_create_time`,
    'is not before max_create_time: no job could match',
  );
  return { minCreateTimeUs, maxCreateTimeUs };
}

/** The part of a page token's signature that identifies the filter. */
export function filterText(filter: JobFilter): string {
  return JSON.stringify(filter);
}
