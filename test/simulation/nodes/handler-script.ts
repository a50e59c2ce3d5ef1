/** What a simulated handler does: written into the job's input, so that it means the same in every attempt. */

export interface HandlerScript {
  /** Of whom the job is: the business key, or a name that no other planned job has. */
  readonly owner: string;
  /** How long it works, in ms of the worker's clock. */
  readonly ms: number;
  /** Says how far it is, and saves a checkpoint, at so many moments in between. */
  readonly steps: number;
  /** Fails as long as fewer attempts than this have counted. */
  readonly fails: number;
  /** Type of the failure. */
  readonly failure: string;
  /** The failure says that another attempt can't help. */
  readonly final: boolean;
  /** Takes its worker's process down with it. */
  readonly kills: boolean;
  /** Goes on when told to stop. */
  readonly deaf: boolean;
}

export function encodeScript(script: HandlerScript): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(script));
}

export function decodeScript(text: string): HandlerScript {
  return JSON.parse(text);
}

/** Result, checkpoint or message: names the attempt that it is of, so that a mix-up shows. */
export function signature(job: string, attempt: number, session: string, rest = ''): string {
  return `${job}/${attempt}/${session}${rest}`;
}
