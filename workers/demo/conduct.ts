/** Runs a demo to its end. In any case its processes end in order, and the exit code shows whether it succeeded. */
import type { Deployment } from './deployment.ts';

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`stopped by ${signal}`);
    this.exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
  }
}

/** Resolves when all processes of the demo have ended. */
export async function conduct(deployment: Deployment, work: () => Promise<void>): Promise<void> {
  listenForSignals(deployment);
  const aborted = new Promise<never>((_, reject) => {
    deployment.signal.addEventListener('abort', () => reject(deployment.signal.reason));
  });
  try {
    await Promise.race([aborted, work()]);
  } catch (error) {
    // Aborts everything in progress. The first reason stays: later failures follow from it.
    deployment.abort(error);
    const { reason } = deployment.signal;
    process.exitCode = reason instanceof Interrupted ? reason.exitCode : 1;
    process.stderr.write(`demo: ${reason instanceof Error ? reason.message : reason}\n`);
  } finally {
    await deployment.stop();
  }
}

/** The first signal ends everything in order, the second one at once. */
function listenForSignals(deployment: Deployment): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (!deployment.signal.aborted) return deployment.abort(new Interrupted(name));
      deployment.destroy();
      process.exit(new Interrupted(name).exitCode);
    });
  }
}
