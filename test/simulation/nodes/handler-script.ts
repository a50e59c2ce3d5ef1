/** The script of a simulated handler: part of the job's input, so that it is the same in every attempt. */

/** A child that a handler submits. */
export interface ChildScript {
  /** Undefined: it is identified by its number. */
  readonly key: string | undefined;
  readonly definition: string;
  readonly script: HandlerScript;
  readonly delayMs: number | undefined;
  readonly detached: boolean;
  /** Whether the parent waits for it. */
  readonly isAwaited: boolean;
}

export interface HandlerScript {
  /** Identifies the job: the business key, or a unique name. */
  readonly owner: string;
  /** Common to several jobs of a definition with a submission rule. */
  readonly matching?: string;
  /** Duration of its work, in ms of the worker's clock. */
  readonly ms: number;
  /** Number of moments in between at which it reports progress and saves a checkpoint. */
  readonly steps: number;
  /** Fails while fewer attempts than this have counted, or in that many attempts if they do not count. */
  readonly fails: number;
  /** Type of the failure. */
  readonly failure: string;
  readonly exitCode: number;
  /** The failure is non-retryable. */
  readonly nonRetryable: boolean;
  /** The failure is an infrastructure failure. */
  readonly infrastructure: boolean;
  /** Retry delay that the failure requests, in ms; 0: none. */
  readonly retryDelayMs: number;
  /** Requests for more than its run timeout, that many ms after its start; each names the total time. */
  readonly extensions: readonly { readonly atMs: number; readonly totalMs: number }[];
  /** Kills its worker's process. */
  readonly kills: boolean;
  /** Continues when it is asked to stop. */
  readonly deaf: boolean;
  /** For a step: whether its loop asks for another iteration. */
  readonly again?: boolean;
  /** For a wait: the key of its event. */
  readonly key?: string;
  /** Children that it submits and waits for after its work, one group after another, in each of its runs. */
  readonly family?: readonly (readonly ChildScript[])[];
}

export function encodeScript(script: HandlerScript): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(script));
}

export function decodeScript(text: string): HandlerScript {
  return JSON.parse(text);
}

/** Whether this attempt fails. */
export function isToFail(script: HandlerScript, attempt: number, attemptCount: number): boolean {
  const { failure, fails, infrastructure } = script;
  return failure === 'Busy' || infrastructure ? attempt <= Math.min(fails, 3) : attemptCount < fails;
}

/** The script of a job's clean-up, which succeeds in the end: it kills no process and never fails for good. */
export function cleanupOf(script: HandlerScript): HandlerScript {
  const { owner, ms, fails } = script;
  return {
    owner,
    ms: Math.min(ms, 400),
    steps: 0,
    fails: fails % 3,
    failure: 'Trouble',
    exitCode: 0,
    nonRetryable: false,
    infrastructure: false,
    retryDelayMs: 50,
    extensions: [],
    kills: false,
    deaf: false,
  };
}

/** Result, checkpoint or message: names its attempt, so that a mix-up shows. */
export function signature(job: string, attempt: number, session: string, rest = ''): string {
  return `${job}/${attempt}/${session}${rest}`;
}

/** The result of an attempt with this signature: JSON for a step, since expressions read it. */
export function resultOf(
  { again }: Pick<HandlerScript, 'again'>,
  signed: string,
): { text: string; contentType: string } {
  if (again === undefined) return { text: signed, contentType: 'text/plain' };
  return { text: JSON.stringify({ by: signed, again }), contentType: 'application/json' };
}
