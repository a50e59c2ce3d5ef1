/**
 * The order of test files: those that take many minutes start first, so that none of them runs alone at the end. With
 * `--sequence.shuffle` the order is random, by the seed of the run.
 */
import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const long = [
  '/test/simulation/',
  '/test/languages/',
  '/test/conformance/',
  '/test/integration/store/p',
  '/test/chaos/',
];

function rankOf({ moduleId }: TestSpecification): number {
  const rank = long.findIndex((part) => moduleId.includes(part));
  return rank < 0 ? long.length : rank;
}

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { shuffle, seed } = this.ctx.config.sequence;
    if (!shuffle) return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
    const drawn = ({ moduleId }: TestSpecification) => createHash('sha256').update(`${seed} ${moduleId}`).digest('hex');
    return files.toSorted((a, b) => (drawn(a) < drawn(b) ? -1 : 1));
  }
}
