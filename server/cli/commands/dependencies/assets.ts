/** `muster assets`: data assets that jobs have published. `muster depend`: adds dependencies to a waiting job. */
import { randomUUID } from 'node:crypto';
import { type Asset, AssetSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { CliError } from '../../failures/cli-error.ts';
import { afterAsset, afterJob, afterStep, type DependencyOptions, dependenciesOf } from '../../input/dependencies.ts';
import { handled, type Invocation } from '../../invocation.ts';
import type { Column } from '../../output/table.ts';
import { allPages } from '../../pages.ts';
import { present } from '../../require-field.ts';

export function addAssets(program: Command): void {
  program
    .command('assets')
    .helpGroup('Jobs:')
    .description('List the data assets that jobs have published: how often, when last, and by which job')
    .addHelpText('after', '\nExample:\n  muster assets --namespace shop')
    .action(handled(list));
}

export function addDepend(program: Command): void {
  program
    .command('depend')
    .argument('<job>', 'id of the job: BLOCKED, SCHEDULED or READY')
    .helpGroup('Jobs:')
    .description('Add dependencies to a waiting job')
    .option('--after <job>', 'the success of this job, or JOB:ended, JOB:failed; may be repeated', afterJob)
    .option('--after-step <workflow/step>', 'the success of a step of a workflow, likewise; may be repeated', afterStep)
    .option('--after-asset <name>', 'the next publication of a data asset; may be repeated', afterAsset)
    .addHelpText(
      'after',
      '\nExample:\n  muster depend 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --after 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2c:ended',
    )
    .action(
      handled<DependencyOptions, [jobId: string]>((invocation, options, jobId) => {
        const dependencies = dependenciesOf(options);
        if (dependencies.length === 0)
          throw new CliError({ message: 'give at least one of --after, --after-step and --after-asset' });
        return eachJob(invocation, [jobId], async ({ jobs, namespace }) =>
          present(
            (await jobs.addDependencies({ namespace, jobId, dependsOn: dependencies, requestId: randomUUID() })).job,
            'job',
          ),
        );
      }),
    );
}

const columns: readonly Column<Asset>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'VERSION', value: ({ version }) => String(version) },
  { title: 'PUBLISHED', value: ({ publishTime }) => (publishTime ? timeText(publishTime.seconds) : '') },
  { title: 'JOB', value: ({ jobId }) => jobId },
];

function timeText(seconds: bigint): string {
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}Z`;
}

async function list(invocation: Invocation): Promise<undefined> {
  const { out } = invocation;
  const { assets: service, namespace } = await invocation.connection();
  const all: Asset[] = [];
  for await (const { assets } of allPages((pageToken, pageSize) =>
    service.listAssets({ namespace, pageToken, pageSize }),
  ))
    for (const asset of assets) {
      if (out.json) out.messageItem(AssetSchema, asset);
      else all.push(asset);
    }
  if (!out.json) out.table(columns, all);
  return undefined;
}
