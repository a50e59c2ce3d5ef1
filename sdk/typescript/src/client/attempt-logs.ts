/** Reads what handlers have logged: page by page, or as a stream that is asked for anew when its connection breaks. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListAttemptLogsRequestSchema, ListAttemptLogsResponse } from '../gen/muster/v1/job_service_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import { serverStream } from '../transport/server-stream.ts';
import type { Calls, RequestOptions } from './calls.ts';
import { backoff, pause } from './transport-retry.ts';

export interface LogOptions extends RequestOptions {
  /** Only of this attempt. Default: of all. */
  readonly attempt?: number;
  /**
   * Goes on until the job has ended, or `attempt` is over; each record comes within milliseconds of its arrival at the control
   * plane. `timeoutMs` and `pageSize` mean nothing then. Default: false.
   */
  readonly follow?: boolean;
  /** Records fetched at once, at most 1,000. Default: 200. */
  readonly pageSize?: number;
}

export type LogsRequest = MessageInitShape<typeof ListAttemptLogsRequestSchema>;

interface LogTarget {
  readonly namespace: string;
  readonly jobId: string;
  /** 0: all. */
  readonly attempt: number;
}

export async function* listLogs(
  list: (request: LogsRequest) => Promise<ListAttemptLogsResponse>,
  target: LogTarget,
  pageSize = 200,
): AsyncGenerator<LogRecord, void> {
  let pageToken = '';
  do {
    const page = await list({ ...target, pageSize, pageToken });
    yield* page.records;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

/** Each record once, over connections that may break. */
export async function* followLogs(
  { channel, retry }: Calls,
  target: LogTarget,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogRecord, void> {
  let resumeToken = '';
  for (let failures = 0; ; ) {
    try {
      const request = { ...target, resumeToken };
      for await (const news of serverStream(channel, JobService.method.watchAttemptLogs, request, signal)) {
        failures = 0;
        yield* news.records;
        resumeToken = news.resumeToken;
        if (news.ended) return;
      }
      failures++;
      await pause(retry.minBackoffMs, signal);
    } catch (error) {
      const wait = backoff(retry, ++failures, error);
      if (wait === undefined) throw error;
      await pause(wait, signal);
    }
  }
}
