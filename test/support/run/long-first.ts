/**
 * The order of test files: by their known durations, the longest first, so that none of them runs alone at the end. With
 * `--sequence.shuffle` the order is random, by the seed of the run.
 */
import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { readDurations, secondsOf } from './durations.ts';

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, sequence } = this.ctx.config;
    if (sequence.shuffle) {
      const drawn = ({ moduleId }: TestSpecification) =>
        createHash('sha256').update(`${sequence.seed} ${moduleId}`).digest('hex');
      return files.toSorted((a, b) => (drawn(a) < drawn(b) ? -1 : 1));
    }
    const durations = readDurations(root);
    const known = ({ moduleId }: TestSpecification) => secondsOf(durations, moduleId.slice(root.length + 1));
    return files.toSorted((a, b) => known(b) - known(a));
  }
}
