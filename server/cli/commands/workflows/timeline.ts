/** `muster timeline`: when the steps of a workflow ran. */
import { type Command, Option } from 'commander';
import { handled } from '../../invocation.ts';
import { MAX_DRAWN, noteLimits, readWorkflow } from '../../workflow/drawn-workflow.ts';
import { timelineSvg } from '../../workflow/timeline-svg.ts';
import { showTimeline } from '../../workflow/timeline-view.ts';
import { writeDrawing } from '../../workflow/write-drawing.ts';
import { workflowDocument } from './graph.ts';

interface Options {
  readonly format: 'bars' | 'svg';
  readonly file?: string;
}

export function addTimeline(program: Command): void {
  program
    .command('timeline')
    .argument('<job>', "id of the workflow's job")
    .helpGroup('Jobs:')
    .description('Draw when the steps of a workflow ran, as bars over time')
    .addOption(new Option('--format <format>', 'how').choices(['bars', 'svg']).default('bars'))
    .option('--file <file>', 'write the drawing into this file, as SVG')
    .addHelpText(
      'after',
      `
A bar extends from the creation of the step's job to its end, including waits and retries. For a loop it shows the last pass;
for an ended fan-out only the beginning is known. At most ${MAX_DRAWN} steps are drawn:
those that failed, those that run, then the first of the others.

Examples:
  muster timeline 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster timeline 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --format svg --file order.svg
  muster trace JOB                                  the attempts of a step's job`,
    )
    .action(
      handled<Options, [jobId: string]>(async (invocation, { format, file }, jobId) => {
        const { out } = invocation;
        const connection = await invocation.connection();
        const drawn = await readWorkflow(connection, jobId, out.json ? Number.POSITIVE_INFINITY : MAX_DRAWN);
        if (out.json) return out.document(workflowDocument(drawn));
        if (format === 'bars' && file === undefined) return showTimeline(out, drawn, Date.now());
        await writeDrawing(invocation, timelineSvg(drawn, Date.now()), file);
        noteLimits(out, drawn);
      }),
    );
}
