/** Draws when the steps of a workflow ran. */

import type { DrawnWorkflow } from '../../view/drawn-workflow.ts';
import { stepStateName } from '../../view/state-words.ts';
import { colourOf } from '../../view/step-colours.ts';
import { spanText } from '../../view/times.ts';
import { type StepSpan, timelineOf } from '../../view/workflow-timeline.ts';
import { escaped, svg } from '../output/svg.ts';
import { cutTo } from '../output/width.ts';

const [WIDTH, LEFT, RIGHT, HEAD, ROW, BAR, FOOT] = [900, 220, 80, 40, 22, 14, 30];
const LETTERS = 30;
const STYLE = 'text{font:12px sans-serif;fill:#111}.head{font-weight:bold}.axis{stroke:#cbd5e1}';

export function timelineSvg(drawn: DrawnWorkflow, nowMs: number): string {
  const { job } = drawn;
  const { spans, lengthMs } = timelineOf(drawn, nowMs);
  const base = HEAD + spans.length * ROW;
  const x = (at: number) => LEFT + (Math.max(0, at) / lengthMs) * (WIDTH - LEFT - RIGHT);
  const title = `${job.definition}@${job.definitionVersion} ${job.jobId}`;
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = x(share * lengthMs).toFixed(1);
    return [
      `<line class="axis" x1="${at}" y1="${HEAD}" x2="${at}" y2="${base}"/>`,
      `<text x="${at}" y="${base + 18}" text-anchor="middle">${spanText(share * lengthMs)}</text>`,
    ].join('');
  });
  const parts = [`<text class="head" x="8" y="22">${escaped(title)}</text>`, ...times];
  const rows = spans.map((span, i) => row(span, HEAD + i * ROW, x));
  return svg({ title, style: STYLE, width: WIDTH, height: base + FOOT, parts: [...parts, ...rows] });
}

function row({ step, name, state, jobId, from, to }: StepSpan, y: number, x: (ms: number) => number): string {
  const { fill, stroke } = colourOf(state);
  const took = step.cached ? 'cached' : to === undefined ? '' : spanText(to - from);
  const wide = Math.max(2, x(to ?? from) - x(from));
  const tooltip = [name, stepStateName(state), took, step.reason, jobId].filter(Boolean).join('\n');
  return [
    `<g><title>${escaped(tooltip)}</title><text x="8" y="${y + 12}">${escaped(cutTo(LETTERS, name))}</text>`,
    `<rect x="${x(from).toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${BAR}" fill="${fill}" stroke="${stroke}"/>`,
    `<text x="${(x(from) + wide + 4).toFixed(1)}" y="${y + 12}">${took}</text></g>`,
  ].join('');
}
