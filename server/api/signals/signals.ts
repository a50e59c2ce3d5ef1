/** SignalService: signals and approvals for jobs that wait for them. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Payload as WirePayload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import {
  ApproveJobResponseSchema,
  RejectJobResponseSchema,
  type SendSignalRequest,
  SendSignalRequestSchema,
  SendSignalResponseSchema,
  type SignalService,
} from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { MAX_KEY } from '../../domain/definitions/key-expression.ts';
import { KEEP_DEFAULT_MS } from '../../domain/signals/signal-queue.ts';
import type { Replica } from '../../engine/replica.ts';
import {
  checkDottedName,
  checkText,
  durationMs,
  namespaceOf,
  payloadFrom,
  requestIdOf,
  THIRTY_DAYS_MS,
} from '../base/checks.ts';
import { payloadTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { jobTo } from '../jobs/convert-job.ts';
import { jobNameOf } from '../jobs/job-name.ts';

const MAX_TEXT = 256;
/** Maximum bytes that a result adds to the payload. */
const ADDED_BYTES = 2_048;

export function signalService({ signalWaits, approvals, maxPayload }: Replica): Implementation<typeof SignalService> {
  return {
    async sendSignal(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const { name, key } = request;
      checkDottedName(name, 'name', violations);
      checkText(key, MAX_KEY, 'key', violations);
      const payload = payloadFrom(request.payload, maxPayload, 'payload', violations);
      const keepMs = durationMs(request.keepFor, 0, THIRTY_DAYS_MS, 'keep_for', violations) ?? KEEP_DEFAULT_MS;
      const requestId = requestIdOf(request.requestId, violations, 'request_id');
      violations.throwIfAny();
      const repeat = requestKey('SendSignal', requestId, contentOf(request, payloadTo(payload)));
      const answer = await signalWaits.send(namespace, { name, key, payload, keepMs }, repeat);
      return create(SendSignalResponseSchema, {
        ...answer,
        deliveredCount: BigInt(answer.delivered),
        triggerCount: BigInt(answer.triggers),
      });
    },
    async approveJob(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.comment, MAX_TEXT, 'comment', violations);
      const payload = jsonFrom(request.payload, maxPayload - ADDED_BYTES, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const approval = { comment: request.comment, payload };
      const said = new TextEncoder().encode(JSON.stringify([namespace, jobId, approval]));
      const job = await approvals.approve(namespace, jobId, approval, requestKey('ApproveJob', requestId, said));
      return create(ApproveJobResponseSchema, { job: jobTo(job) });
    },
    async rejectJob(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.reason, MAX_TEXT, 'reason', violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const repeat = requestKey('RejectJob', requestId, context.body);
      return create(RejectJobResponseSchema, {
        job: jobTo(await approvals.reject(namespace, jobId, request.reason, repeat)),
      });
    },
  };
}

/** A repeat is recognized by content: the bytes of the call may differ each time, since a payload has a map. */
function contentOf(request: SendSignalRequest, payload: WirePayload): Uint8Array {
  return toBinary(SendSignalRequestSchema, { ...request, payload });
}

/** The text of the JSON value; undefined without a payload. */
function jsonFrom(wire: WirePayload | undefined, maxBytes: number, violations: Violations): string | undefined {
  if (!wire) return undefined;
  const { data, contentType } = payloadFrom(wire, maxBytes, 'payload', violations);
  violations.check(
    contentType === '' || contentType === 'application/json',
    'payload.content_type',
    'must be application/json or empty: the payload becomes a part of a JSON object',
  );
  violations.check(Object.keys(wire.metadata).length === 0, 'payload.metadata', 'must be empty: the result has none');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    JSON.parse(text);
    return text.trim();
  } catch {
    violations.add('payload.data', 'is not JSON: it becomes a part of a JSON object');
    return undefined;
  }
}
