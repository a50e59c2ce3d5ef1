/** `muster send-signal`, `muster approve` and `muster reject`: signals and approvals for waiting jobs. */
import { randomUUID } from 'node:crypto';
import { durationFromMs, type SendSignalResponse, SendSignalResponseSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import { eachJob } from '../../each-job.ts';
import { readInput } from '../../input/payload-input.ts';
import { span } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface SendOptions {
  readonly key?: string;
  readonly data?: string;
  readonly keep?: number;
  readonly requestId?: string;
}

export function addSignals(program: Command): void {
  addSendSignal(program);
  addApprove(program);
  addReject(program);
}

function addSendSignal(program: Command): void {
  program
    .command('send-signal')
    .argument('<name>', 'name of the signal')
    .helpGroup('Jobs:')
    .description('Send a signal: jobs that wait for it succeed with its data as their result')
    .option('-k, --key <text>', 'its key: only jobs that wait for the same key get it (default: the empty key)')
    .option('-d, --data <json>', 'JSON that becomes the result of the jobs')
    .option(
      '--keep <span>',
      'how long it is kept if no job waits for it and no trigger takes it; 0s: not at all (default: 1h)',
      span,
    )
    .option('--request-id <uuid>', 'makes a repeat of the command harmless for a day')
    .addHelpText(
      'after',
      `
Examples:
  muster send-signal payment-received --key order-7 --data '{"cents": 995}'
  muster send-signal shop-opens --keep 0s`,
    )
    .action(handled<SendOptions, [string]>(send));
}

async function send(invocation: Invocation, options: SendOptions, name: string): Promise<void> {
  const { key = '', data, keep, requestId = randomUUID() } = options;
  const payload = data === undefined ? undefined : await readInput(invocation.process, { input: data });
  const { signals, namespace } = await invocation.connection();
  const answer = await signals.sendSignal({
    namespace,
    name,
    key,
    requestId,
    ...(payload ? { payload } : {}),
    ...(keep === undefined ? {} : { keepFor: durationFromMs(keep) }),
  });
  const { out } = invocation;
  if (out.json) return out.message(SendSignalResponseSchema, answer);
  out.line(sentText(answer));
}

export function sentText(answer: SendSignalResponse): string {
  const { deliveredCount, delivering, triggerCount } = answer;
  if (answer.repeated) return 'It was sent before: nothing was done';
  if (answer.kept) return 'No job waits for it: it is kept for the first one that will';
  const taken = triggerCount > 0n ? `it is taken by ${countText(Number(triggerCount), 'trigger')}` : '';
  if (deliveredCount === 0n && !delivering) return `No job waits for it, and ${taken || 'it is not kept'}`;
  const parts = [`It has reached ${countText(Number(deliveredCount), 'job')}`];
  if (delivering) parts.push('delivery to more jobs continues');
  if (taken) parts.push(taken);
  return parts.join('; ');
}

function addApprove(program: Command): void {
  program
    .command('approve')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Approve jobs that wait for an approval')
    .option('--comment <text>', "comment; becomes a part of the job's result")
    .option('-d, --data <json>', "JSON that becomes a part of the job's result")
    .addHelpText(
      'after',
      "\nExample:\n  muster approve 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --comment 'looks fine' --data '{\"limit\": 500}'",
    )
    .action(
      handled<{ comment?: string; data?: string }, [string[]]>(async (invocation, { comment = '', data }, jobIds) => {
        const payload = data === undefined ? undefined : await readInput(invocation.process, { input: data });
        const given = { comment, ...(payload ? { payload } : {}) };
        return eachJob(invocation, jobIds, async ({ signals, namespace }, jobId) =>
          present((await signals.approveJob({ namespace, jobId, ...given, requestId: randomUUID() })).job, 'job'),
        );
      }),
    );
}

function addReject(program: Command): void {
  program
    .command('reject')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Reject jobs that wait for an approval: they end FAILED, with the reason')
    .option('--reason <text>', 'why')
    .addHelpText('after', "\nExample:\n  muster reject 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'too dear'")
    .action(
      handled<{ reason?: string }, [string[]]>((invocation, { reason = '' }, jobIds) =>
        eachJob(invocation, jobIds, async ({ signals, namespace }, jobId) =>
          present((await signals.rejectJob({ namespace, jobId, reason, requestId: randomUUID() })).job, 'job'),
        ),
      ),
    );
}
