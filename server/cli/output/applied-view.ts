/** Shows what applying a definition changed, or would change, and what that may break. */
import {
  type ApplyJobDefinitionResponse,
  type FieldDifference,
  type RolloutSettings,
  RolloutState,
} from '@muster-jobs/sdk/grpc';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { stepsText, stepText } from './rollout-view.ts';
import { cutTo } from './width.ts';

const MAX_VALUE = 100;

interface AppliedOptions {
  readonly dryRun: boolean;
  /** The wanted roll-out. */
  readonly rollout?: RolloutSettings | undefined;
}

export function showApplied(out: Output, response: ApplyJobDefinitionResponse, options: AppliedOptions): void {
  const { dryRun } = options;
  const { definition, created, differences, issues } = response;
  out.line(`${out.styled('bold', definition?.name ?? '')}  ${changeText(response, dryRun)}`);
  if (created || dryRun) for (const difference of differences) out.line(`  ${differenceText(out, difference)}`);
  for (const { message, subjects } of issues) {
    const about = subjects.length === 0 ? '' : ` (${subjects.join(', ')})`;
    out.line(`  ${out.styled('yellow', '!')} ${printable(`${message}${about}`)}`);
  }
  for (const line of rolloutLines(response, options)) out.line(`  ${line}`);
}

function rolloutLines(response: ApplyJobDefinitionResponse, { dryRun, rollout: wanted }: AppliedOptions): string[] {
  const { definition, created, rollout } = response;
  const name = definition?.name ?? '';
  if (dryRun) return created && wanted ? [`It would be rolled out: ${stepsText(wanted)}`] : [];
  if (rollout?.state === RolloutState.OPEN)
    return [
      `It is being rolled out: ${stepText(rollout)}`,
      `muster rollout status ${name} shows the progress; muster rollout promote ${name}, or rollback, ends it`,
    ];
  return !created && wanted ? ['Its content is that of the newest version: nothing is rolled out'] : [];
}

function changeText({ definition, created }: ApplyJobDefinitionResponse, dryRun: boolean): string {
  const version = `version ${definition?.version ?? 0}`;
  if (!created) return `unchanged, ${version}`;
  return dryRun ? `would become ${version}` : `${version} is made`;
}

function differenceText(out: Output, { path, before, after }: FieldDifference): string {
  const [was, is] = [before, after].map((value) => printable(cutTo(MAX_VALUE, value)));
  if (before === '') return out.styled('green', `+ ${path}: ${is}`);
  if (after === '') return out.styled('red', `- ${path}: ${was}`);
  return out.styled('cyan', `~ ${path}: ${was} → ${is}`);
}
