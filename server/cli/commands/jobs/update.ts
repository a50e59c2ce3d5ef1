/** `muster update`: changes priority, run time or expiry of a waiting job. */
import { randomUUID } from 'node:crypto';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { CliError } from '../../failures/cli-error.ts';
import { integer } from '../../input/numbers.ts';
import { span, time } from '../../input/spans.ts';
import { refuseBoth, timeOf } from '../../input/submission.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface Options {
  readonly priority?: number;
  readonly runAt?: Date;
  readonly runIn?: number;
  readonly expireAt?: Date;
  readonly expireIn?: number;
}

export function addUpdate(program: Command): void {
  program
    .command('update')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Change priority, run time or expiry of waiting jobs')
    .option('--priority <number>', 'from -100 to 100; higher runs sooner', integer(-100, 100))
    .option('--run-at <time>', 'not before this time; a time in the past lets it run at once', time)
    .option('--run-in <span>', "not before this span from now, by this machine's clock; 0s lets it run at once", span)
    .option('--expire-at <time>', 'expires unless it has started by this time', time)
    .option('--expire-in <span>', "expires unless it has started within this span, by this machine's clock", span)
    .addHelpText(
      'after',
      `
Examples:
  muster update 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --priority 50
  muster update 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --run-in 0s --expire-in 1h`,
    )
    .action(handled(update));
}

function update(invocation: Invocation, options: Options, jobIds: string[]): Promise<number> {
  refuseBoth(options, 'runAt', 'runIn');
  refuseBoth(options, 'expireAt', 'expireIn');
  if (Object.keys(options).length === 0)
    throw new CliError({
      message: 'nothing to change',
      next: 'give --priority, --run-at, --run-in, --expire-at or --expire-in',
    });
  const [runTime, expireTime] = [timeOf(options.runAt, options.runIn), timeOf(options.expireAt, options.expireIn)];
  const change = {
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(runTime === undefined ? {} : { runTime: timestampFromDate(runTime) }),
    ...(expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) }),
  };
  return eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) =>
    present((await jobs.updateJob({ namespace, jobId, ...change, requestId: randomUUID() })).job, 'job'),
  );
}
