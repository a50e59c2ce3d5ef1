/** SessionService: the worker protocol. */
import { create } from '@bufbuild/protobuf';
import { ReportResult } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import {
  CloseSessionResponseSchema,
  type OpenSessionRequest,
  OpenSessionResponseSchema,
  ReportAttemptsResponseSchema,
  SendHeartbeatResponseSchema,
  type SessionService,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { uuidToBytes } from '../../domain/base/uuid.ts';
import type { Clock } from '../../engine/ports/ports.ts';
import type { NewSession } from '../../engine/ports/sessions.ts';
import type { Replica } from '../../engine/replica.ts';
import { toAssignmentMessage, toCancelMessage, toSuspendMessage } from '../../wire/assignment.ts';
import { checkOffered } from '../base/check-amounts.ts';
import { checkDottedName, checkLabels, checkRange, checkText, namespaceOf, requestIdOf } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { BeatLimiter, OpenLimiter } from '../base/limits.ts';
import { ApiError } from '../base/status.ts';
import { Violations } from '../base/violations.ts';
import { credentialsTo, creditsFrom, heartbeatFrom, reportFrom, uuidFrom, voidedFrom } from './convert-session.ts';

/** The version of the worker protocol that this server supports. */
export const PROTOCOL_VERSION = 1;

function checkProtocol(version: number): void {
  if (version === PROTOCOL_VERSION) return;
  throw new ApiError(
    'PROTOCOL_VERSION_UNSUPPORTED',
    `the worker speaks protocol ${version}, this server speaks ${PROTOCOL_VERSION}: use an SDK that fits`,
    {
      worker: String(version),
      server: String(PROTOCOL_VERSION),
    },
  );
}

function offerFrom(request: OpenSessionRequest): Omit<NewSession, 'sessionId' | 'nowUs' | 'leaseMs'> {
  const violations = new Violations();
  const namespace = namespaceOf(request.namespace, violations);
  checkDottedName(request.workerName, 'worker_name', violations);
  violations.check(
    request.handlers.length >= 1 && request.handlers.length <= 1_000,
    'handlers',
    `has ${request.handlers.length} entries; must have from 1 to 1,000`,
  );
  for (const [i, handler] of request.handlers.slice(0, 1_000).entries()) {
    checkDottedName(handler.name, `handlers[${i}].name`, violations);
    violations.check(
      handler.minVersion >= 0 && (handler.maxVersion === 0 || handler.maxVersion >= handler.minVersion),
      `handlers[${i}]`,
      'has an empty range of versions',
    );
  }
  checkLabels(request.labels, 64, 'labels', violations);
  checkOffered(request.resources, 'resources', violations);
  checkRange(request.slots, 1, 10_000, 'slots', violations);
  const requestId = requestIdOf(request.requestId, violations);
  const sdk = {
    name: request.sdk?.name ?? '',
    version: request.sdk?.version ?? '',
    language: request.sdk?.language ?? '',
  };
  for (const [part, text] of Object.entries(sdk)) checkText(text, 128, `sdk.${part}`, violations);
  violations.throwIfAny();
  return {
    namespace,
    workerName: request.workerName,
    slots: request.slots,
    handlers: request.handlers.map(({ name, minVersion, maxVersion }) => ({ name, minVersion, maxVersion })),
    labels: request.labels,
    resources: request.resources,
    sdk,
    requestId: requestId || undefined,
  };
}

const monotonic: Clock = { now: () => performance.now() };

export function sessionService(replica: Replica, clock = monotonic): Implementation<typeof SessionService> {
  const opens = new OpenLimiter(clock);
  const beats = new BeatLimiter(clock);
  return {
    async openSession(request) {
      checkProtocol(request.protocolVersion);
      const offer = offerFrom(request);
      opens.take();
      const { session, access, times } = await replica.sessions.open(offer);
      return create(OpenSessionResponseSchema, {
        sessionId: uuidToBytes(session.sessionId),
        beatInterval: durationTo(times.beatMs),
        lease: durationTo(times.leaseMs),
        natsUrls: [...access.natsUrls],
        subject: access.subject,
        natsCredentials: credentialsTo(access.credentials),
        maxPayload: replica.maxPayload,
      });
    },
    async sendHeartbeat(request) {
      const violations = new Violations();
      const beat = heartbeatFrom(request, replica.maxPayload, violations);
      violations.throwIfAny();
      beats.take(beat.sessionId);
      const reply = await replica.sessions.beat(beat);
      return create(SendHeartbeatResponseSchema, {
        assignments: reply.assignments.map(toAssignmentMessage),
        cancels: reply.cancels.map(toCancelMessage),
        suspends: reply.suspends.map(toSuspendMessage),
        drain: reply.drain,
        reconnectBus: reply.reconnectBus !== undefined,
        natsUrls: [...(reply.reconnectBus?.natsUrls ?? [])],
        ...(reply.nextBeatMs === undefined ? {} : { nextBeat: durationTo(reply.nextBeatMs) }),
        ...(reply.credentials ? { natsCredentials: credentialsTo(reply.credentials) } : {}),
      });
    },
    async reportAttempts(request) {
      const violations = new Violations();
      const sessionId = uuidFrom(request.sessionId, 'session_id', violations);
      violations.check(
        request.reports.length >= 1 && request.reports.length <= 1_000,
        'reports',
        `has ${request.reports.length} entries; must have from 1 to 1,000`,
      );
      const reports = request.reports
        .slice(0, 1_000)
        .map((report, i) => reportFrom(report, `reports[${i}]`, replica.maxPayload, violations));
      const credits = creditsFrom(request.credits, violations);
      const voided = voidedFrom(request.voidedCreditIds, violations);
      violations.throwIfAny();
      // Credits first: the next claim starts while the results are stored. Credits never fail the report: the report
      // itself finds out whether the session is closed, and a lost credit is granted again with the next heartbeat.
      void replica.sessions.grant(sessionId, credits, voided).catch(() => {});
      const results = await replica.reports.report(sessionId, reports);
      return create(ReportAttemptsResponseSchema, { results: results.map((result) => ReportResult[result]) });
    },
    async closeSession(request) {
      const violations = new Violations();
      const sessionId = uuidFrom(request.sessionId, 'session_id', violations);
      violations.throwIfAny();
      await replica.sessions.close(sessionId, request.workerLost ? 'WORKER_LOST' : 'CLOSE');
      return create(CloseSessionResponseSchema);
    },
  };
}
