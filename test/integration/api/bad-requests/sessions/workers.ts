/** Requests about workers by wrong names. */
import { Code } from '../../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../../server/domain/base/uuid.ts';
import { add, drainWorker, getWorker } from '../base/builder.ts';

const missing = [Code.NOT_FOUND, 'SESSION_NOT_FOUND'] as const;
const nobody = '0198c0de-0000-7000-8000-000000000001';

for (const method of [getWorker, drainWorker]) {
  const as = method as typeof drainWorker;
  for (const sessionId of ['', 'x', "' OR 1=1--", '{0198c0de-0000-7000-8000-000000000001}']) {
    add('B37', `session ${JSON.stringify(sessionId)}`, as, () => ({ sessionId }), ['session_id']);
  }
  add('B25', 'namespace a.b', as, () => ({ namespace: 'a.b', sessionId: nobody }), ['namespace']);
  add('B37', 'unknown session', as, () => ({ sessionId: nobody }), [], missing);
  const elsewhere = ({ sessionId }: { sessionId: Uint8Array }) => ({
    namespace: 'other',
    sessionId: uuidFromBytes(sessionId),
  });
  add('B15', "another namespace's worker", as, elsewhere, [], missing);
}
for (const requestId of ['x', '00000000-0000-0000-0000-000000000000']) {
  add('B37', `request id ${requestId}`, drainWorker, () => ({ requestId, sessionId: nobody }), ['request_id']);
}
add(
  '',
  'a session that was closed',
  drainWorker,
  ({ closedSessionId }) => ({ sessionId: uuidFromBytes(closedSessionId) }),
  [],
  [Code.FAILED_PRECONDITION, 'SESSION_CLOSED'],
);
