/** Makes connections with growing pauses while they fail, so that calls do not storm a server that refuses them. */
import pg from 'pg';

const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 1_000;

/** A class of clients for one pool. During a pause, connecting fails at once with the error that began it. */
export function pacedClient(): typeof pg.Client {
  let pauseMs = 0;
  let pausedUntil = 0;
  let failure: Error | undefined;
  const note = (error: Error | undefined) => {
    failure = error;
    pauseMs = error ? Math.min(pauseMs * 2 || FIRST_PAUSE_MS, MAX_PAUSE_MS) : 0;
    pausedUntil = performance.now() + pauseMs;
  };
  class Paced extends pg.Client {
    // A pool connects its clients with a callback.
    // biome-ignore lint/suspicious/noExplicitAny: the types of `pg` say that an error is always given
    override connect(connected?: any): any {
      if (performance.now() < pausedUntil) return process.nextTick(connected, failure);
      super.connect((error?: Error) => {
        note(error);
        connected(error);
      });
    }
  }
  return Paced;
}
