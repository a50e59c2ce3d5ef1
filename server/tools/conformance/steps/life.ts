/** Steps about the worker's process and its sessions. */
import type { Step } from '../case.ts';
import { Unfulfilled } from '../failures.ts';
import type { Call } from '../plane/rpc-server.ts';
import type { Stage } from '../stage.ts';
import { endText } from '../worker-process.ts';

/** Starts the process, without waiting. */
export const start: Step = {
  text: 'starts the worker',
  async run({ lab }) {
    lab.startProcess();
  },
};

/** Starts the worker if necessary, and waits until all its slots are granted and it holds nothing. */
export const ready: Step = {
  text: 'the worker offers all its slots',
  async run(stage) {
    stage.lab.startProcess();
    await allOnOffer(stage);
  },
};

/** Waits until a new ping has been echoed: from then on granted credits stay valid. */
export const settled: Step = {
  text: 'the worker receives from the bus, and offers all its slots',
  async run(stage) {
    const { pings } = stage.session;
    await stage.until('the echo of a new ping', () => stage.session.echo > pings);
    await allOnOffer(stage);
  },
};

export const allSlotsOnOffer: Step = { text: 'all slots are on offer', run: allOnOffer };

async function allOnOffer(stage: Stage): Promise<void> {
  await stage.until('a session', () => stage.plane.session);
  await stage.until('credits for all its slots', () => {
    const { ledger, open } = stage.session;
    return ledger.slots(performance.now()) === stage.lab.slots && open.length === 0;
  });
}

/** Waits for `count` further calls of this method, and checks each. */
export function awaitCalls(
  method: string,
  count: number,
  check?: (call: Call, stage: Stage) => string | undefined,
): Step {
  return {
    text: `${count} more of ${method}`,
    async run(stage) {
      const before = stage.plane.callsOf(method).length;
      const calls = await stage.until(`${count} more of ${method}`, () => {
        const all = stage.plane.callsOf(method);
        return all.length >= before + count && all.slice(before, before + count);
      });
      for (const call of calls) complain(check?.(call, stage));
    },
  };
}

/** Waits for `count` heartbeats to take effect. */
export function beats(count: number): Step {
  return {
    text: `${count} more beats`,
    async run(stage) {
      const session = await stage.until('a session', () => stage.plane.session);
      const before = session.beats.length;
      await stage.until(`${count} more beats`, () => session.beats.length >= before + count);
    },
  };
}

/** Checks the current state; `check` returns the problem. */
export function check(text: string, ask: (stage: Stage) => string | undefined): Step {
  return {
    text,
    async run(stage) {
      complain(ask(stage));
    },
  };
}

/** Waits until `ask` finds something. */
export function until(text: string, ask: (stage: Stage) => unknown, withinMs?: number): Step {
  return {
    text,
    async run(stage) {
      await stage.until(text, () => Boolean(ask(stage)), withinMs === undefined ? {} : { withinMs });
    },
  };
}

/** For this time `ask` must find nothing. */
export function never(text: string, forMs: number, ask: (stage: Stage) => unknown): Step {
  return { text: `for ${forMs} ms no ${text}`, run: (stage) => stage.never(text, () => ask(stage), forMs) };
}

/** Performs an action on the stage. */
export function act(text: string, run: (stage: Stage) => unknown): Step {
  return {
    text,
    async run(stage) {
      await run(stage);
    },
  };
}

export function signal(name: NodeJS.Signals): Step {
  return act(`sends ${name}`, ({ lab }) => lab.process?.signal(name));
}

/** Waits until the process has ended. */
export function ends(isGood: boolean, withinMs?: number): Step {
  const text = isGood ? 'the worker ends with exit code 0' : 'the worker ends with an exit code other than 0';
  return {
    text,
    async run(stage) {
      stage.allowEnd();
      const ended = await stage.until(text, () => stage.lab.process?.ended, withinMs === undefined ? {} : { withinMs });
      if ((ended.code === 0) !== isGood) throw new Unfulfilled(`the worker ended with ${endText(ended)}`);
    },
  };
}

/** Its stdout or stderr must match this. */
export function says(pattern: RegExp): Step {
  return check(`the worker says ${pattern}`, ({ lab }) => {
    const words = lab.process?.lastWords() ?? [];
    return words.some((line) => pattern.test(line)) ? undefined : `the worker said nothing like ${pattern}`;
  });
}

export function complain(fault: string | undefined): void {
  if (fault !== undefined) throw new Unfulfilled(fault);
}
