/** Reads the logs of handlers: page by page, or as a stream that reconnects when its connection breaks. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListAttemptLogsRequestSchema, ListAttemptLogsResponse } from '../gen/muster/v1/job_service_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { Known } from '../options/known-options.ts';
import { serverStream } from '../transport/channel.ts';
import type { Calls, RequestOptions } from './calls.ts';
import { requestOptions } from './calls.ts';
import { following } from './following.ts';

/** Selects log records, and whether to wait for new ones. */
export interface LogOptions extends RequestOptions {
  /** Only records of this attempt. Default: of all attempts. */
  readonly attempt?: number;
  /**
   * Continues until the job has ended, or `attempt` is over. Each record arrives within milliseconds of its arrival at
   * the control plane. Ignores `timeoutMs` and `pageSize`. Default: false.
   */
  readonly follow?: boolean;
  /** Records fetched per call, at most 1,000. Default: 200. */
  readonly pageSize?: number;
}

export const logOptions: Known<LogOptions> = { ...requestOptions, attempt: true, follow: true, pageSize: true };

export type LogsRequest = MessageInitShape<typeof ListAttemptLogsRequestSchema>;

interface LogTarget {
  readonly namespace: string;
  readonly jobId: string;
  /** 0: all attempts. */
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

/** Yields each record once, also when connections break. */
export function followLogs(
  { channel, retry }: Calls,
  target: LogTarget,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogRecord, void> {
  let resumeToken = '';
  const open = () => serverStream(channel, JobService.method.watchAttemptLogs, { ...target, resumeToken }, signal);
  return following(retry, signal, open, (inbox) => {
    resumeToken = inbox.resumeToken;
    return { items: inbox.records, isOver: inbox.ended };
  });
}
