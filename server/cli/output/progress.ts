/** Shows the progress of something long on a terminal. Nothing is drawn if stderr is not a terminal. */
import { type Options, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

const SPINNER: Options = {
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  gracefulExit: false, // the command shuts down by itself
  linewrap: false,
  emptyOnZero: true,
};

/** A bar for a number of things that are done one after the other. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;

  /** @param shown Progress as a count or as a share. */
  constructor({ stderr }: Output, label: string, total: number, shown: 'count' | 'share' = 'count') {
    if (!stderr.isTTY || total === 0) return;
    const amount = shown === 'count' ? '{value}/{total}' : '{percentage} %';
    this.#bar = new SingleBar({ ...SPINNER, stream: stderr, format: `${label}  {bar}  ${amount}  {eta_formatted}` });
    this.#bar.start(total, 0);
  }

  advance(by: number): void {
    this.#bar?.increment(by);
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar?.stop();
  }
}

/** A line that is redrawn in place: a text after a bar. */
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
