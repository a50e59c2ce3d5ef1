/** The job whose handler the running code belongs to, also behind what the handler has awaited. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface HandledJob {
  readonly jobId: string;
  /** Its handler has not returned. */
  readonly isHandled: boolean;
}

const handled = new AsyncLocalStorage<HandledJob>();

/** Calls a handler of `job`. */
export function runAsHandlerOf<T>(job: HandledJob, handler: () => T): T {
  return handled.run(job, handler);
}

/** Its UUID. Empty outside of handlers, and in what goes on once the handler has returned. */
export function handledJobId(): string {
  const job = handled.getStore();
  return job?.isHandled ? job.jobId : '';
}
