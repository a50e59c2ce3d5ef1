/** Implements the core's SessionApi over gRPC. */
import { SessionService } from '../../gen/muster/worker/v1/session_service_pb.ts';
import type { Channel } from '../../transport/channel.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import type { SessionApi } from '../core/base/ports.ts';

/** Calls wait for a connection within their deadline, so they are sent as soon as there is one. */
export function sessionApi(channel: Channel): SessionApi {
  const service = unaryClient(channel, SessionService);
  const options = (timeoutMs: number) => ({ timeoutMs, waitForReady: true });
  return {
    openSession: (request, timeoutMs) => service.openSession(request, options(timeoutMs)),
    heartbeat: (request, timeoutMs) => service.sendHeartbeat(request, options(timeoutMs)),
    reportAttempts: (request, timeoutMs) => service.reportAttempts(request, options(timeoutMs)),
    closeSession: (request, timeoutMs) => service.closeSession(request, options(timeoutMs)),
  };
}
