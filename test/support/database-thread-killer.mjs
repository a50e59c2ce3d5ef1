// Read by a Muster process before its program (`--import`): SIGUSR2 ends the thread of its embedded database, as want of
// memory would. It is the one whose young generation is bounded; threads of this one's own threads do not count.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const threads = [];
  process.on('worker', (thread) => threads.push(thread));
  process.on('SIGUSR2', () => {
    for (const thread of threads) if (thread.resourceLimits.maxYoungGenerationSizeMb === 24) void thread.terminate();
  });
}
