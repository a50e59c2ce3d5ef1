/** Sections of docs/worker-protocol.md; each case proves a part of one. */

export type Rule =
  | 'Calls'
  | 'OpenSession'
  | 'The bus'
  | 'Heartbeats'
  | 'Credits'
  | 'Looking at an assignment'
  | 'Running'
  | 'What is held'
  | 'Grants that come again'
  | 'Reports'
  | 'Children'
  | 'The fence'
  | 'Cancels'
  | 'Suspensions'
  | 'Progress, checkpoints and logs'
  | 'Draining and ending'
  | 'Errors';
