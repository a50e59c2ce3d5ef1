/** A bar chart as SVG: for each measure the first value of every peer, on a scale of its own. */
import type { MeasureResult, Results } from '../results.ts';
import { format } from './table.ts';

const WIDTH = 760;
const LABEL = 190;
const VALUE = 110;
const BAR = 16;
const GAP = 6;
const HEAD = 34;
const SPACE = 18;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

interface Bar {
  readonly name: string;
  readonly value: number;
}

/** Peers with a value, best first. */
function bars(result: MeasureResult): Bar[] {
  const [key, column] = Object.entries(result.columns)[0] ?? [];
  const found = Object.entries(result.peers).flatMap(([name, outcome]) =>
    'values' in outcome && key !== undefined ? [{ name, value: outcome.values[key] as number }] : [],
  );
  const sign = column?.better === 'higher' ? -1 : 1;
  return found.sort((a, b) => sign * (a.value - b.value));
}

function section(result: MeasureResult, top: number): { readonly svg: string; readonly height: number } {
  const column = Object.values(result.columns)[0];
  const found = bars(result);
  const most = Math.max(...found.map(({ value }) => value), Number.MIN_VALUE);
  const better = column?.better === 'higher' ? 'longer is better' : 'shorter is better';
  const title = `${result.title}, ${column?.title} (${better})`;
  const lines = [`<text class="title" x="0" y="${top + 16}">${escaped(title)}</text>`];
  found.forEach(({ name, value }, n) => {
    const y = top + HEAD + n * (BAR + GAP);
    const width = Math.max(1, (value / most) * (WIDTH - LABEL - VALUE));
    const kind = name === 'Muster' ? 'ours' : 'theirs';
    lines.push(
      `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 12}">${format(value)} ${column?.unit}</text>`,
    );
  });
  return { svg: lines.join('\n'), height: HEAD + found.length * (BAR + GAP) + SPACE };
}

export function chart(results: Results): string {
  const parts: string[] = [];
  let top = 8;
  for (const result of Object.values(results.measures)) {
    const { svg, height } = section(result, top);
    parts.push(svg);
    top += height;
  }
  const style =
    'text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:13px}.ours{fill:#c2410c}.theirs{fill:#94a3b8}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}">`,
    '<title>Muster beside other job systems</title>',
    `<style>${style}</style>`,
    `<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
