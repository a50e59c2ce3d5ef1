/** A stream that sends all writes of one turn of the event loop together: the cost is per send, not per write. */
import type { Writable } from 'node:stream';

export function gathering<S extends Writable>(stream: S): S {
  const write = stream.write.bind(stream) as (...parameters: unknown[]) => boolean;
  let gathers = false;
  const gatheringWrite = ((...parameters: unknown[]) => {
    if (!gathers) {
      gathers = true;
      stream.cork();
      process.nextTick(() => {
        gathers = false;
        stream.uncork();
      });
    }
    return write(...parameters);
  }) as unknown as S['write'];
  return Object.assign(stream, { write: gatheringWrite });
}
