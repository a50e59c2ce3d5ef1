/** Shows on a terminal how far something long is. Nothing is drawn where stderr is none. */
import { type Options, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

const SPINNER: Options = {
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  gracefulExit: false, // the command ends itself in order
  linewrap: false,
  emptyOnZero: true,
};

/** A bar for a number of things that are done one after the other. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;

  /** @param shown How far it is: in things, or as a share. */
  constructor({ stderr }: Output, label: string, total: number, shown: 'count' | 'share' = 'count') {
    if (!stderr.isTTY || total === 0) return;
    const amount = shown === 'count' ? '{value}/{total}' : '{percentage} %';
    this.#bar = new SingleBar({ ...SPINNER, stream: stderr, format: `${label}  {bar}  ${amount}  {eta_formatted}` });
    this.#bar.start(total, 0);
  }

  advance(by: number): void {
    this.#bar?.increment(by);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar?.stop();
  }
}

/** A line that is drawn anew in its place: a text with a bar before it. */
export class LiveLine {
  readonly #bar: SingleBar;

  constructor({ stderr }: Output) {
    this.#bar = new SingleBar({ ...SPINNER, stream: stderr, format: '{text}  {bar}  {percentage} %  {remark}' });
    this.#bar.start(1, 0, { text: '', remark: '' });
  }

  /** @param fraction From 0 to 1. */
  show(text: string, fraction: number, remark: string): void {
    this.#bar.update(fraction, { text, remark });
    this.#bar.render();
  }

  stop(): void {
    this.#bar.stop();
  }
}
