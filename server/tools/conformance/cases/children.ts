/** Children of a job: submitted with their parent, awaited without a slot, and found again by the next run. */

import { uuidFromBytes } from '../../../domain/base/uuid.ts';
import type { Group } from '../case.ts';
import { Unfulfilled } from '../failures.ts';
import type { Stage } from '../stage.ts';
import { assign } from '../steps/assignments.ts';
import { act, allSlotsOnOffer, check, ready } from '../steps/life.ts';
import { type Expected, reported, result } from '../steps/outcomes.ts';
import { json, script } from '../steps/work.ts';

const counts = script(
  { do: 'child', definition: 'count-pages', input: { book: 'Emma' }, key: 'emma' },
  { do: 'child', definition: 'count-pages', input: { book: 'Ulysses' }, key: 'ulysses' },
  { do: 'wait_children' },
  { do: 'return_children' },
);

const jobs = ({ plane }: Stage) => plane.jobs.jobs;

const suspended: Expected = {
  text: 'suspended, waiting for two children',
  fault: ({ outcome }) => {
    if (outcome.case !== 'suspended') return 'suspended was expected';
    const { childJobIds } = outcome.value;
    return childJobIds.length === 2 ? undefined : `it waits for ${childJobIds.length} children`;
  },
};

function parentFault(stage: Stage): string | undefined {
  const { assignment } = stage.attempt('a');
  const jobId = uuidFromBytes(assignment.jobId);
  if (jobs(stage).length !== 2) return `${jobs(stage).length} children were submitted`;
  for (const { submission, parent } of jobs(stage)) {
    if (submission.definition !== 'count-pages') return `a child is of the definition ${submission.definition}`;
    if (submission.idempotencyKey === '') return 'a child has no idempotency_key: the next run would submit it again';
    if (parent?.jobId !== jobId || parent.attempt !== 1) return 'parent does not name the attempt';
    if (parent.sessionId !== stage.session.facts.id) return 'parent does not name the session';
  }
  return undefined;
}

const childrenEnd = act('the children end', (stage) => {
  for (const job of jobs(stage)) {
    const { book } = JSON.parse(Buffer.from(job.submission.input?.data ?? []).toString()) as { book: string };
    job.result = json({ pages: book.length * 100 });
  }
});

/** The same job again, as a later attempt. */
const runsAgain = act('runs the job again', async (stage) => {
  const { jobId } = stage.attempt('a').assignment;
  await assign('again', counts, { attempt: 2, more: { jobId } }).run(stage);
});

export const childCases: Group = {
  title: 'Children',
  cases: [
    {
      name: 'children',
      rule: 'Children',
      needs: 'children',
      proves: 'A handler that waits for children is reported as suspended, and gets them again when it runs again.',
      steps: [
        ready,
        assign('a', counts),
        reported('a', suspended),
        check('the children name their parent', parentFault),
        check('those are waited for', (stage) => {
          const [first] = stage.attempt('a').reports;
          if (first?.report.outcome.case !== 'suspended') throw new Unfulfilled('it was not suspended');
          const ids = first.report.outcome.value.childJobIds.map((id) => uuidFromBytes(id));
          return jobs(stage).every(({ jobId }) => ids.includes(jobId)) ? undefined : 'child_job_ids has others';
        }),
        allSlotsOnOffer,
        childrenEnd,
        runsAgain,
        reported('again', result([{ pages: 400 }, { pages: 700 }])),
        check('no other children were made', (stage) => (jobs(stage).length === 2 ? undefined : 'some were')),
        allSlotsOnOffer,
      ],
    },
  ],
};
