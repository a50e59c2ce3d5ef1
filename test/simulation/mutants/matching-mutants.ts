/** Planted bugs in the handling of matching submissions. */
import type { Mutant } from './mutant.ts';

export const matchingMutants: Readonly<Record<string, Mutant>> = {
  running_is_in_nobodys_way: {
    about: 'A job that was seen running does not block a matching one.',
    patches: [
      {
        file: 'server/domain/jobs/submission-rule.ts',
        find: 'return state !== undefined && states.includes(state);',
        replace: "return state !== undefined && state !== 'RUNNING' && states.includes(state);",
      },
    ],
  },
  debounced_are_kept: {
    about: 'A debounced job stays when the next matching one comes.',
    patches: [
      {
        file: 'server/engine/jobs/submit/apply-rules.ts',
        find: "if (rule.kind === 'DEBOUNCE' && holder.state === 'SCHEDULED')",
        replace: "if (rule.kind === 'DEBOUNCE' && holder.state === 'CANCELLING')",
      },
    ],
  },
  throttle_opens_early: {
    about: 'A throttle takes the next job when half its time is over.',
    patches: [
      {
        file: 'server/domain/jobs/submission-rule.ts',
        find: 'return Math.max(0, Math.ceil((nextUs - nowUs) / 1_000));',
        replace: 'return Math.max(0, Math.ceil((nextUs - nowUs) / 1_000) - 1_000);',
      },
    ],
  },
};
