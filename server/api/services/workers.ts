/** WorkerService: shows the workers to people. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { isUuid } from '../../domain/uuid.ts';
import type { Replica } from '../../engine/replica.ts';
import type { SessionRow } from '../../engine/store-port.ts';
import { SessionState, type Worker, WorkerSchema } from '../../gen/muster/v1/worker_pb.ts';
import { ListWorkersResponseSchema, type WorkerService } from '../../gen/muster/v1/worker_service_pb.ts';
import { NIL_UUID, namespaceOf, pageSizeOf } from '../checks.ts';
import { timestampTo } from '../convert-payload.ts';
import type { Implementation } from '../service.ts';
import { notImplemented } from '../status.ts';
import { Violations } from '../violations.ts';

function workerTo(session: SessionRow & { held: number }, deaf: boolean): Worker {
  const [openTime, beatTime, leaseExpireTime] = [session.openTimeUs, session.beatTimeUs, session.leaseUntilUs].map(
    (us) => timestampTo(us),
  );
  return create(WorkerSchema, {
    name: session.workerName,
    namespace: session.namespace,
    sessionId: session.sessionId,
    state: SessionState[session.state],
    handlers: session.handlers.map((handler) => ({ ...handler })),
    labels: { ...session.labels },
    resources: { ...session.resources },
    slots: session.slots,
    held: session.held,
    sdk: { ...session.sdk },
    ...(openTime ? { openTime } : {}),
    ...(beatTime ? { beatTime } : {}),
    ...(leaseExpireTime ? { leaseExpireTime } : {}),
    deaf,
    draining: session.draining,
  });
}

/**
 * A token is the namespace and the last session id: it opens nothing, it only says where to go on. The checksum tells a
 * damaged one.
 */
function tokenOf(namespace: string, sessionId: string): string {
  const text = `${namespace}/${sessionId}`;
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return Buffer.from(`${text}/${checksum}`).toString('base64url');
}

function afterOf(token: string, namespace: string, violations: Violations): string {
  if (token === '') return NIL_UUID;
  const [owner, sessionId = ''] = Buffer.from(token, 'base64url').toString().split('/');
  violations.check(
    owner === namespace && isUuid(sessionId) && token === tokenOf(namespace, sessionId),
    'page_token',
    'is not one that ListWorkers returned for this namespace',
  );
  return sessionId;
}

export function workerService(replica: Replica): Implementation<typeof WorkerService> {
  return {
    async listWorkers(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const size = pageSizeOf(request.pageSize, violations);
      const after = afterOf(request.pageToken, namespace, violations);
      violations.throwIfAny();
      const rows = await replica.sessions.list(namespace, after, size + 1);
      const page = rows.slice(0, size);
      const last = rows.length > size ? page.at(-1) : undefined;
      return create(ListWorkersResponseSchema, {
        workers: page.map((row) => workerTo(row, replica.sessions.isDeaf(row))),
        nextPageToken: last ? tokenOf(namespace, last.sessionId) : '',
      });
    },
    async getWorker() {
      throw notImplemented('GetWorker: single workers');
    },
    async drainWorker() {
      throw notImplemented('DrainWorker: drains from outside');
    },
  };
}
