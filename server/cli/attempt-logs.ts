/** The log records of a job's handlers: those that the server keeps, or those and all new ones. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, JobService, type LogRecord, MusterError } from '@muster-jobs/sdk/grpc';
import type { Connection } from './connection.ts';
import { allPages } from './pages.ts';

/** Maximum wait for a server that restarts. */
const PATIENCE_MS = 60_000;
const FIRST_PATIENCE_MS = 1_500;
const PAUSE_MS = 250;

/** Whose log; attempt 0: all attempts. */
interface Asked {
  readonly jobId: string;
  readonly attempt: number;
}

export async function* keptLogs({ namespace, jobs }: Connection, asked: Asked): AsyncGenerator<LogRecord> {
  const pages = allPages((pageToken, pageSize) => jobs.listAttemptLogs({ namespace, ...asked, pageToken, pageSize }));
  for await (const { records } of pages) yield* records;
}

/** Each record once, across restarts of the server, until no more can come or the signal aborts. */
export async function* followedLogs(
  connection: Connection,
  asked: Asked,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const { namespace } = connection;
  let resumeToken = '';
  let patience = FIRST_PATIENCE_MS;
  for (let deadline: number | undefined; ; await delay(PAUSE_MS, undefined, { signal })) {
    try {
      const request = { namespace, ...asked, resumeToken };
      for await (const response of connection.stream(JobService.method.watchAttemptLogs, request, signal)) {
        patience = PATIENCE_MS;
        deadline = undefined;
        yield* response.records;
        resumeToken = response.resumeToken;
        if (response.ended) return;
      }
      throw new MusterError({ code: Code.UNAVAILABLE, message: 'the stream ended before the job' });
    } catch (error) {
      const broke = error instanceof MusterError && error.code === Code.UNAVAILABLE;
      deadline ??= performance.now() + patience;
      if (!broke || performance.now() >= deadline) throw error;
    }
  }
}
