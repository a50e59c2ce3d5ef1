/** WorkerService: shows the workers to people. */
import { create } from '@bufbuild/protobuf';
import type { Replica } from '../../engine/replica.ts';
import type { SessionRow } from '../../engine/store-port.ts';
import { SessionState, type Worker, WorkerSchema } from '../../gen/muster/v1/worker_pb.ts';
import { ListWorkersResponseSchema, type WorkerService } from '../../gen/muster/v1/worker_service_pb.ts';
import { NIL_UUID, namespaceOf, pageSizeOf } from '../checks.ts';
import { timestampTo } from '../convert-payload.ts';
import { pageToken, positionOf } from '../page-token.ts';
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

export function workerService(replica: Replica): Implementation<typeof WorkerService> {
  return {
    async listWorkers(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const size = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListWorkers', namespace];
      const after = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const rows = await replica.sessions.list(namespace, after ?? NIL_UUID, size + 1);
      const page = rows.slice(0, size);
      const last = rows.length > size ? page.at(-1) : undefined;
      return create(ListWorkersResponseSchema, {
        workers: page.map((row) => workerTo(row, replica.sessions.isDeaf(row))),
        nextPageToken: last ? pageToken(key, list, last.sessionId) : '',
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
