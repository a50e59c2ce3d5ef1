// Loaded into a Muster process before its program (`--import`): SIGUSR2 ends the thread of its embedded database, as if
// it were out of memory. That thread is the one with a bounded young generation; nested threads do not count.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const threads = [];
  process.on('worker', (thread) => threads.push(thread));
  process.on('SIGUSR2', () => {
    for (const thread of threads) if (thread.resourceLimits.maxYoungGenerationSizeMb === 24) void thread.terminate();
  });
}
