/** Shows when the steps of a workflow ran, as bars. */

import type { DrawnWorkflow } from '../../view/drawn-workflow.ts';
import { stepStateName } from '../../view/state-words.ts';
import { countText, spanText } from '../../view/times.ts';
import { type StepSpan, type Timeline, timelineOf } from '../../view/workflow-timeline.ts';
import type { Output } from '../output/output.ts';
import { styledStepState } from '../output/states.ts';
import type { Column } from '../output/table.ts';
import { headline, noteLimits } from './drawn-workflow.ts';

const [MIN_BAR, MAX_BAR] = [20, 60];

export function showTimeline(out: Output, drawn: DrawnWorkflow, nowMs: number): void {
  const timeline = timelineOf(drawn, nowMs);
  out.line(headline(out, drawn));
  out.table(timelineColumns(out, timeline), timeline.spans);
  if (timeline.without > 0) out.note(`${countText(timeline.without, 'step')} without a job: muster graph shows all`);
  noteLimits(out, drawn);
}

export function timelineColumns(out: Output, { spans, lengthMs }: Timeline): Column<StepSpan>[] {
  const names = Math.max(0, ...spans.map(({ name }) => name.length));
  const cells = Math.min(MAX_BAR, Math.max(MIN_BAR, out.width - names - 40));
  return [
    { title: 'STEP', value: ({ name }) => name, min: 8 },
    {
      title: 'STATE',
      value: ({ state }) => stepStateName(state),
      style: (text, { state }) => styledStepState(out, state, text),
    },
    { title: 'START', value: ({ from }) => `+${spanText(from)}` },
    { title: 'TOOK', value: tookText },
    {
      title: `0 to ${spanText(lengthMs)}`,
      value: (span) => barOf(span, lengthMs, cells),
      style: (text, { state }) => styledStepState(out, state, text),
    },
  ];
}

function tookText({ step, from, to }: StepSpan): string {
  if (step.cached) return 'cached';
  return to === undefined ? '?' : spanText(to - from);
}

/** At least one cell. A step without a stored end has only its beginning. */
export function barOf({ from, to }: Pick<StepSpan, 'from' | 'to'>, lengthMs: number, cells: number): string {
  const cell = (at: number) => Math.round((at / lengthMs) * cells);
  const start = Math.min(cell(Math.max(0, from)), cells - 1);
  if (to === undefined) return `${' '.repeat(start)}┠`;
  return ' '.repeat(start) + '█'.repeat(Math.max(1, Math.min(cell(to), cells) - start));
}
