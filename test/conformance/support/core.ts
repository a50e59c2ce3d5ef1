/** The smoke selection of conformance cases: some of each group, and few with long waits. */
export const coreCases: readonly string[] = [
  ...['open-request', 'open-answer-lost', 'open-denied'],
  ...['beat-first', 'beat-echo-highest', 'beat-failed', 'beat-lists-all'],
  ...['credit-in-report', 'credit-bus-broken', 'credit-void-repeated', 'credit-slot-kept'],
  ...['assign-duplicate-held', 'assign-doubled-reordered', 'assign-cancelled-before', 'assign-unsupported'],
  ...['assign-in-answer', 'assign-lost-with-credit'],
  ...['prefetch-starts', 'prefetch-not-started'],
  ...['echo-json', 'echo-large', 'result-json', 'handler-context', 'failure-typed'],
  ...['run-timeout', 'run-timeout-extended'],
  ...['cancel-obeyed', 'cancel-report-in-flight'],
  ...['suspend-checkpoint'],
  ...['progress-soon', 'checkpoint-beat-failed', 'logs-numbered'],
  ...['report-unavailable', 'report-cut', 'report-invalid'],
  ...['children'],
  ...['lease-lost-beat', 'fence-aborts'],
  ...['bus-cut'],
  ...['drain-sigterm'],
];
