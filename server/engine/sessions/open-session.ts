/** Opens worker sessions. */
import type { NewSession, SessionRow } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';

/** Opens the session, or returns the one that the same request id opened before. */
export async function openSession(store: Store, session: NewSession): Promise<SessionRow> {
  const { namespace, requestId } = session;
  const made = await store.insertSession(session);
  const found = made || !requestId ? made : await store.findSession(namespace, requestId);
  if (!found) throw new Error('a session can neither be made nor found');
  return found;
}
