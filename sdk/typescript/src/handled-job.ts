/** The job whose handler is running, as the running code sees it, also after an `await`. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface HandledJob {
  readonly jobId: string;
  /** True until its handler returns. */
  readonly isHandled: boolean;
}

const handled = new AsyncLocalStorage<HandledJob>();

/** Runs `handler` as the handler of `job`. */
export function runAsHandlerOf<T>(job: HandledJob, handler: () => T): T {
  return handled.run(job, handler);
}

/** UUID of the handled job. Empty outside handlers, and in code that still runs after its handler has returned. */
export function handledJobId(): string {
  const job = handled.getStore();
  return job?.isHandled ? job.jobId : '';
}
