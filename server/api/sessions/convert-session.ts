/** Converts the messages of the worker protocol between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  type AttemptReport,
  ReleaseReason,
  type Suspended,
} from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import {
  type Credit,
  type NatsCredentials,
  NatsCredentialsSchema,
  type ProgressUpdate,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';
import type { SendHeartbeatRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { uuidFromBytes } from '../../domain/base/uuid.ts';
import { MAX_AWAITED } from '../../domain/dependencies/children.ts';
import type { GrantedCredit } from '../../engine/dispatch/unspent-credits.ts';
import type { SessionCredentials } from '../../engine/ports/ports.ts';
import type { Outcome, Report } from '../../engine/sessions/reports.ts';
import type { Heartbeat } from '../../engine/sessions/sessions.ts';
import { counterOf, durationMs, payloadFrom, THIRTY_DAYS_MS } from '../base/checks.ts';
import { failureFrom, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { progressFrom } from '../jobs/convert-progress.ts';
import { logsFrom } from './convert-log.ts';

const MAX_CREDIT_PERMITS = 10_000;
const releaseNames = new Map<number, string>(Object.entries(ReleaseReason).map(([name, code]) => [code, name]));

export function uuidFrom(bytes: Uint8Array, field: string, violations: Violations): string {
  return violations.check(bytes.length === 16, field, `is ${bytes.length} bytes; a UUID has 16`)
    ? uuidFromBytes(bytes)
    : '';
}

export function creditsFrom(credits: readonly Credit[], violations: Violations): GrantedCredit[] {
  violations.check(credits.length <= 100, 'credits', 'has more than 100 entries');
  let places = 0;
  const granted = credits.slice(0, 100).map((credit, i) => {
    const good = credit.slots >= 0 && credit.prefetch >= 0 && credit.slots + credit.prefetch <= MAX_CREDIT_PERMITS;
    violations.check(good, `credits[${i}]`, `must have from 0 to ${MAX_CREDIT_PERMITS} places`);
    if (good) places += credit.slots + credit.prefetch;
    const creditId = counterOf(credit.creditId, `credits[${i}].credit_id`, violations);
    return { creditId, slots: credit.slots, prefetch: credit.prefetch };
  });
  violations.check(
    places <= MAX_CREDIT_PERMITS,
    'credits',
    `have ${places} places; at most ${MAX_CREDIT_PERMITS} are allowed`,
  );
  return granted;
}

export function voidedFrom(ids: readonly bigint[], violations: Violations): number[] {
  violations.check(ids.length <= 1_000, 'voided_credit_ids', 'has more than 1,000 entries');
  return ids.slice(0, 1_000).map((id, i) => counterOf(id, `voided_credit_ids[${i}]`, violations));
}

export function heartbeatFrom(wire: SendHeartbeatRequest, maxPayload: number, violations: Violations): Heartbeat {
  violations.check(
    wire.heldAttempts.length <= 10_000,
    'held_attempts',
    `has ${wire.heldAttempts.length} entries; at most 10,000 are allowed`,
  );
  violations.check(
    wire.progress.length <= 1_000,
    'progress',
    `has ${wire.progress.length} entries; at most 1,000 are allowed`,
  );
  return {
    sessionId: uuidFrom(wire.sessionId, 'session_id', violations),
    held: wire.heldAttempts.map((held, i) => ({
      jobId: uuidFrom(held.jobId, `held_attempts[${i}].job_id`, violations),
      attempt: held.attempt,
      started: held.started,
    })),
    credits: creditsFrom(wire.credits, violations),
    voidedCreditIds: voidedFrom(wire.voidedCreditIds, violations),
    progress: wire.progress.flatMap((update, i) => changeFrom(update, `progress[${i}]`, maxPayload, violations)),
    logs: wire.progress.flatMap((update, i) => logFrom(update, `progress[${i}]`, violations)),
    pingEcho: counterOf(wire.pingEcho, 'ping_echo', violations),
    draining: wire.draining,
  };
}

function changeFrom(
  wire: ProgressUpdate,
  path: string,
  maxPayload: number,
  violations: Violations,
): Heartbeat['progress'] {
  const { progress, checkpoint, runTimeoutExtension } = wire;
  // The entry carries only log records.
  if (wire.logs.length > 0 && !progress && !checkpoint && !runTimeoutExtension) return [];
  const reported = progress && progressFrom(progress, `${path}.progress`, violations);
  const change = {
    jobId: uuidFrom(wire.jobId, `${path}.job_id`, violations),
    attempt: wire.attempt,
    sequence: counterOf(wire.sequence, `${path}.sequence`, violations),
    fraction: reported?.fraction,
    message: reported?.message,
    counts: reported?.counts,
    extensionMs: durationMs(runTimeoutExtension, 0, THIRTY_DAYS_MS, `${path}.run_timeout_extension`, violations),
    checkpoint: checkpoint ? payloadFrom(checkpoint, maxPayload, `${path}.checkpoint`, violations) : undefined,
  };
  return [change];
}

function logFrom({ jobId, attempt, logs }: ProgressUpdate, path: string, violations: Violations): Heartbeat['logs'] {
  if (logs.length === 0) return [];
  const records = logsFrom(logs, `${path}.logs`, violations);
  return [{ jobId: uuidFrom(jobId, `${path}.job_id`, violations), attempt, records }];
}

export function reportFrom(wire: AttemptReport, path: string, maxPayload: number, violations: Violations): Report {
  return {
    jobId: uuidFrom(wire.jobId, `${path}.job_id`, violations),
    attempt: wire.attempt,
    outcome: outcomeFrom(wire, path, maxPayload, violations),
    logs: logsFrom(wire.logs, `${path}.logs`, violations),
  };
}

function outcomeFrom(wire: AttemptReport, path: string, maxPayload: number, violations: Violations): Outcome {
  const { outcome } = wire;
  switch (outcome.case) {
    case 'result':
      return { kind: 'succeeded', result: payloadFrom(outcome.value, maxPayload, `${path}.result`, violations) };
    case 'failure':
      return { kind: 'failed', failure: failureFrom(outcome.value, maxPayload, `${path}.failure`, violations) };
    case 'released': {
      const { reason } = outcome.value;
      violations.check(
        reason !== ReleaseReason.UNSPECIFIED && releaseNames.has(reason),
        `${path}.released.reason`,
        'must say why the handler was not started',
      );
      return { kind: 'released', why: releaseNames.get(reason) ?? '' };
    }
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'aborted':
      return { kind: 'aborted' };
    case 'suspended':
      return suspendedFrom(outcome.value, `${path}.suspended`, violations);
    default:
      violations.add(`${path}.outcome`, 'is missing');
      return { kind: 'aborted' };
  }
}

function suspendedFrom({ childJobIds }: Suspended, path: string, violations: Violations): Outcome {
  violations.check(
    childJobIds.length <= MAX_AWAITED,
    `${path}.child_job_ids`,
    `has ${childJobIds.length} entries; must have at most ${MAX_AWAITED}`,
  );
  const childIds = childJobIds
    .slice(0, MAX_AWAITED)
    .map((id, i) => uuidFrom(id, `${path}.child_job_ids[${i}]`, violations));
  return { kind: 'suspended', childIds };
}

export function credentialsTo(credentials: SessionCredentials): NatsCredentials {
  const expires = credentials.expireTimeMs > 0 ? timestampTo(credentials.expireTimeMs * 1000) : undefined;
  return create(NatsCredentialsSchema, {
    jwt: credentials.jwt,
    seed: credentials.seed,
    ...(expires ? { expireTime: expires } : {}),
  });
}
