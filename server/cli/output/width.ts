/** The width of text on a terminal, and text cut to a width. */
import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter();
const ASCII = /^[\x20-\x7e]*$/;

/** Number of cells of printable text. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** The text, or its beginning with "…" if it is wider than `width`. */
export function cutTo(width: number, text: string): string {
  if (widthOf(text) <= width) return text;
  let [kept, cells] = ['', 1];
  for (const { segment } of segmenter.segment(text)) {
    cells += widthOf(segment);
    if (cells > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text, padded with spaces to `width`. */
export function padTo(width: number, text: string): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
