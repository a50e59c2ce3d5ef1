/** The width of text on a terminal, and text cut to a width. */

const segmenter = new Intl.Segmenter();
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ASCII = /^[\x20-\x7e]*$/;

function cellsOf(segment: string): number {
  if (WIDE.test(segment)) return 2;
  return /^\p{M}+$|^[\u200b-\u200d]+$/u.test(segment) ? 0 : 1;
}

/** Number of cells of printable text. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of segmenter.segment(text)) cells += cellsOf(segment);
  return cells;
}

/** The text, or its beginning with "…" if it is wider than `width`. */
export function cutTo(width: number, text: string): string {
  if (widthOf(text) <= width) return text;
  let [kept, cells] = ['', 1];
  for (const { segment } of segmenter.segment(text)) {
    cells += cellsOf(segment);
    if (cells > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text, padded with spaces to `width`. */
export function padTo(width: number, text: string): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
