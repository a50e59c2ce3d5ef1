/**
 * Things that must have happened somewhere to jobs that wait for signals, approvals, other jobs and children. Each is
 * met by any one of its counts.
 */
export const expectedOfLinks: Readonly<Record<string, readonly string[]>> = {
  'a job waited for a signal': ['wait: signal began'],
  'an event was kept': ['wait: an event was kept'],
  'a job took an event that was kept': ['wait: a job took an event that was kept'],
  'an event went to several jobs': ['wait: an event went to several jobs'],
  'an event found nobody any more': ['wait: an event found nobody any more'],
  'nobody came in time': ['wait: nobody came in time'],
  'a person approved': ['wait: sign-off ended SUCCEEDED'],
  'a person rejected': ['wait: sign-off ended FAILED'],
  'a person spoke too early or too late': ['wait: a word came too early or too late'],
  'a job was let go': ['net: a job was let go'],
  'a job was skipped for what it depended on': ['net: a job was skipped'],
  'a job was made to wait for more': ['net: added'],
  'a circle was refused': ['net: refused, DEPENDENCY_CYCLE'],
  'what a job depends on had come about before': ['net: what it depends on had come about'],
  'a child was submitted': ['family: a child was submitted'],
  'a parent waited for its children': ['family: suspended, waits'],
  'a parent went on': ['family: a parent went on'],
  'a parent succeeded': ['family: a parent succeeded'],
  'a parent was cancelled while it waited': ['family: cancelled while it waited'],
  'a child was cancelled with its parent': ['family: a child was cancelled with its parent'],
  'a child of a lost attempt was refused': ['child refused: PARENT_ATTEMPT_CLOSED'],
  'a replica died while it saw to what waits': [
    'replica died after insert_signal',
    'replica died before lock_signal_delivery',
    'replica died after take_dependency_inbox',
    'replica died before drop_dependency_inbox',
    'replica died after insert_dependencies',
    'replica died after adopt_children',
    'replica died before lock_children',
  ],
};
