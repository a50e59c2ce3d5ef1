/** Proof that the worker still works, whatever its credits. */
import { ReleaseReason } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { Step } from '../case.ts';
import { Unfulfilled } from '../failures.ts';
import { assign } from './assignments.ts';
import { reported, result } from './outcomes.ts';
import { returns } from './work.ts';

const TRIES = 5;

/** As for the server, a job that is released because its credit was just voided is assigned again with another one. */
export const works: Step = {
  text: 'an attempt runs to its end',
  async run(stage) {
    for (let nth = 1; nth <= TRIES; nth++) {
      const name = `proof ${stage.attempts.size}`;
      await assign(name, returns(name)).run(stage);
      const [first] = await stage.until(`a report of ${name}`, () => {
        const { reports } = stage.attempt(name);
        return reports.length > 0 && reports;
      });
      const outcome = first?.report.outcome;
      const isReleased = outcome?.case === 'released' && outcome.value.reason === ReleaseReason.DEAD_CREDIT;
      if (!isReleased) return reported(name, result(name)).run(stage);
    }
    throw new Unfulfilled(`${TRIES} attempts under living credits were released with DEAD_CREDIT`);
  },
};
