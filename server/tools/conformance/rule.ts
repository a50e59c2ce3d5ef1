/** Sections of docs/worker-protocol.md: what a case proves is in one of them. */

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
  | 'The fence'
  | 'Cancels'
  | 'Progress, checkpoints and logs'
  | 'Draining and ending'
  | 'Errors';
