/** Shows a job's trace: its spans as a tree with time, duration, worker and reason. */
import type { JobTrace } from '../../view/job-trace.ts';
import { spanText } from '../../view/times.ts';
import { type TraceRow, tookText, traceRows } from '../../view/trace-rows.ts';
import type { Output } from './output.ts';
import { styledState } from './states.ts';

export function showTrace(out: Output, trace: JobTrace): void {
  const { job, spans } = trace;
  const [root] = spans;
  if (root === undefined) return;
  out.line(`${out.styled('bold', `Trace ${root.traceId}`)}  job ${job.jobId}  ${styledState(out, job.state)}`);
  const since = (span: TraceRow['span']) => (span ? `+${spanText((span.startTimeUs - root.startTimeUs) / 1_000)}` : '');
  out.table(
    [
      { title: 'SPAN', value: ({ tree }) => tree },
      { title: 'START', value: ({ span }) => since(span) },
      { title: 'TOOK', value: ({ span }) => tookText(span) },
      { title: 'ID', value: ({ id }) => id },
      { title: 'WHAT', value: ({ what }) => what, min: 8 },
    ],
    traceRows(trace),
  );
}
