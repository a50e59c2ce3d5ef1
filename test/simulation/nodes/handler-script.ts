/** What a simulated handler does: written into the job's input, so that it means the same in every attempt. */

/** A child that a handler submits. */
export interface ChildScript {
  /** Undefined: it is known by its number. */
  readonly key: string | undefined;
  readonly definition: string;
  readonly script: HandlerScript;
  readonly delayMs: number | undefined;
  readonly detached: boolean;
  /** Else nobody waits for it. */
  readonly isAwaited: boolean;
}

export interface HandlerScript {
  /** Of whom the job is: the business key, or a name that no other planned job has. */
  readonly owner: string;
  /** What it has in common with other jobs, where its definition has a rule for those. */
  readonly matching?: string;
  /** How long it works, in ms of the worker's clock. */
  readonly ms: number;
  /** Says how far it is, and saves a checkpoint, at so many moments in between. */
  readonly steps: number;
  /** Fails as long as fewer attempts than this have counted, or in so many attempts where they do not count. */
  readonly fails: number;
  /** Type of the failure. */
  readonly failure: string;
  readonly exitCode: number;
  /** The failure says that another attempt can't help. */
  readonly final: boolean;
  /** The failure blames what the handler runs on. */
  readonly infrastructure: boolean;
  /** Wait before the next attempt that the failure asks for, in ms; 0: none. */
  readonly retryDelayMs: number;
  /** Asks for more than its run timeout, in so many ms after its start; each time for all of it, as far as it goes. */
  readonly extensions: readonly { readonly atMs: number; readonly totalMs: number }[];
  /** Takes its worker's process down with it. */
  readonly kills: boolean;
  /** Goes on when told to stop. */
  readonly deaf: boolean;
  /** Of a step: whether its loop asks for another pass. */
  readonly again?: boolean;
  /** Of a wait: the key of its event. */
  readonly key?: string;
  /** Children that it submits and waits for once it has worked, one group after the other, in each of its runs. */
  readonly family?: readonly (readonly ChildScript[])[];
}

export function encodeScript(script: HandlerScript): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(script));
}

export function decodeScript(text: string): HandlerScript {
  return JSON.parse(text);
}

/** Whether this attempt fails. */
export function isToFail(script: HandlerScript, attempt: number, attemptsCounted: number): boolean {
  const { failure, fails, infrastructure } = script;
  return failure === 'Busy' || infrastructure ? attempt <= Math.min(fails, 3) : attemptsCounted < fails;
}

/** The clean-up after a job does its work in the end: it kills nobody and gives up nothing. */
export function cleanupOf(script: HandlerScript): HandlerScript {
  const { owner, ms, fails } = script;
  return {
    owner,
    ms: Math.min(ms, 400),
    steps: 0,
    fails: fails % 3,
    failure: 'Trouble',
    exitCode: 0,
    final: false,
    infrastructure: false,
    retryDelayMs: 50,
    extensions: [],
    kills: false,
    deaf: false,
  };
}

/** Result, checkpoint or message: names the attempt that it is of, so that a mix-up shows. */
export function signature(job: string, attempt: number, session: string, rest = ''): string {
  return `${job}/${attempt}/${session}${rest}`;
}

/** What an attempt that is signed like this returns: of a step it is JSON, since expressions read it. */
export function resultOf(
  { again }: Pick<HandlerScript, 'again'>,
  signed: string,
): { text: string; contentType: string } {
  if (again === undefined) return { text: signed, contentType: 'text/plain' };
  return { text: JSON.stringify({ by: signed, again }), contentType: 'application/json' };
}
