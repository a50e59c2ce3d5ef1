/** `muster graph`: draws the steps of a workflow. */

import { create, toJson } from '@bufbuild/protobuf';
import { GetWorkflowResponseSchema, ListWorkflowStepsResponseSchema } from '@muster-jobs/sdk/grpc';
import { type Command, Option } from 'commander';
import type { DrawnWorkflow } from '../../../view/drawn-workflow.ts';
import { mermaid } from '../../../view/mermaid.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { MAX_DRAWN, noteLimits, readWorkflow } from '../../workflow/drawn-workflow.ts';
import { graphSvg } from '../../workflow/graph-svg.ts';
import { showGraph } from '../../workflow/graph-view.ts';
import { writeDrawing } from '../../workflow/write-drawing.ts';

interface Options {
  readonly format: 'tree' | 'mermaid' | 'svg';
  readonly file?: string;
}

export function addGraph(program: Command): void {
  program
    .command('graph')
    .argument('<job>', "id of the workflow's job")
    .helpGroup('Jobs:')
    .description('Draw the steps of a workflow: needs, states and progress of fan-outs')
    .addOption(new Option('--format <format>', 'how').choices(['tree', 'mermaid', 'svg']).default('tree'))
    .option('--file <file>', 'write the drawing into this file')
    .addHelpText(
      'after',
      `
Each step is drawn under the first step that it needs, with the names of the others. At most ${MAX_DRAWN} steps are drawn:
those that failed, those that run, then the first of the others; --json returns all of them.

Examples:
  muster graph 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster graph 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --format svg --file order.svg
  muster graph 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r '.steps[] | select(.state == "STEP_STATE_FAILED") | .jobId'
  muster list --parent 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b   the jobs of its steps`,
    )
    .action(
      handled<Options, [jobId: string]>(async (invocation, options, jobId) => {
        const connection = await invocation.connection();
        const most = invocation.out.json ? Number.POSITIVE_INFINITY : MAX_DRAWN;
        await show(invocation, options, await readWorkflow(connection, jobId, most));
      }),
    );
}

async function show(invocation: Invocation, { format, file }: Options, drawn: DrawnWorkflow): Promise<void> {
  const { out } = invocation;
  if (out.json) return out.document(workflowDocument(drawn));
  if (format === 'tree' && file === undefined) return showGraph(out, drawn);
  await writeDrawing(invocation, format === 'svg' ? graphSvg(drawn) : mermaid(drawn), file);
  noteLimits(out, drawn);
}

/** Combines both responses into one document. */
export function workflowDocument({ workflow, steps }: DrawnWorkflow) {
  const one = toJson(GetWorkflowResponseSchema, create(GetWorkflowResponseSchema, { workflow }));
  const all = toJson(ListWorkflowStepsResponseSchema, create(ListWorkflowStepsResponseSchema, { steps: [...steps] }));
  return { ...(one as object), ...(all as object) };
}
