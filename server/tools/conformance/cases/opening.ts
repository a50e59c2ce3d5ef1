/** How a worker opens its session, and its behaviour when that is refused. */
import type { OpenSessionRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group } from '../case.ts';
import { WORKER_NAME } from '../lab.ts';
import { leaseLost, type Refusal, unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { forEver, spoil } from '../steps/faults.ts';
import { check, ends, ready, says, start, until } from '../steps/life.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_DEADLINE_MS = 15_000;
const REQUEST_LIFE_MS = 5_000;

const opens = ({ plane }: Stage) => plane.callsOf('OpenSession');
const requestOf = (stage: Stage, at: number) => opens(stage)[at]?.request as OpenSessionRequest | undefined;

function offerFault(stage: Stage): string | undefined {
  const offer = requestOf(stage, 0);
  if (!offer) return 'there was no OpenSession';
  const names = offer.handlers.map(({ name }) => name);
  if (offer.workerName !== WORKER_NAME)
    return `worker_name is "${offer.workerName}", MUSTER_WORKER_NAME "${WORKER_NAME}"`;
  if (offer.protocolVersion !== 1) return `protocol_version is ${offer.protocolVersion}`;
  if (!names.includes('echo') || !names.includes('script'))
    return `handlers are ${names.join(', ')}: echo or script is missing`;
  if (offer.slots !== stage.lab.slots) return `slots is ${offer.slots}, MUSTER_SLOTS ${stage.lab.slots}`;
  if (!offer.sdk?.name) return 'sdk has no name';
  if (offer.capabilities.length > 0) return 'capabilities is not empty';
  if (!uuid.test(offer.requestId)) return `request_id is "${offer.requestId}", which is no UUID`;
  const leftMs = opens(stage)[0]?.leftMs ?? 0;
  return leftMs > MAX_DEADLINE_MS ? `its deadline is ${Math.round(leftMs)} ms away, and should be 10 s` : undefined;
}

/** Repeats within the lifetime of a request must have its id. */
function repeatFault(stage: Stage): string | undefined {
  const [first, ...rest] = opens(stage);
  const id = requestOf(stage, 0)?.requestId;
  const repeats = rest.filter(({ at }) => at < (first?.at ?? 0) + REQUEST_LIFE_MS);
  if (repeats.length === 0) return undefined;
  const isSame = repeats.every(({ request }) => (request as OpenSessionRequest).requestId === id);
  return isSame ? undefined : 'OpenSession was repeated within five seconds under another request_id';
}

const refused = (refusal: Refusal, pattern: RegExp) => [
  spoil('OpenSession', { seen: refusal, times: forEver }),
  start,
  ends(false),
  says(pattern),
];

const newer: Refusal = {
  code: 'FAILED_PRECONDITION',
  reason: 'PROTOCOL_VERSION_UNSUPPORTED',
  message: 'the worker speaks protocol 1, this server speaks 7',
};
const badName: Refusal = {
  code: 'INVALID_ARGUMENT',
  reason: 'INVALID_FIELD',
  field: 'worker_name',
  message: 'worker_name is taken for a test',
};
const overloaded: Refusal = {
  code: 'RESOURCE_EXHAUSTED',
  reason: 'OVERLOADED',
  message: 'too many registrations',
  retryMs: 2_000,
};

export const opening: Group = {
  title: 'Opening a session',
  cases: [
    {
      name: 'open-request',
      rule: 'OpenSession',
      proves: 'OpenSession has every field that it needs, and a deadline.',
      steps: [start, until('OpenSession', (stage) => stage.plane.session), check('its fields are right', offerFault)],
    },
    {
      name: 'open-unavailable',
      rule: 'OpenSession',
      proves: 'OpenSession is repeated after UNAVAILABLE, within five seconds under the same request_id.',
      steps: [
        spoil('OpenSession', { seen: unavailable, times: 3 }),
        ready,
        check('repeats have the same request_id', repeatFault),
      ],
    },
    {
      name: 'open-answer-lost',
      rule: 'OpenSession',
      proves: 'The same request_id finds a session whose answer was lost.',
      steps: [
        spoil('OpenSession', { seen: 'cut', takesEffect: true }),
        ready,
        check('repeats have the same request_id', repeatFault),
        check('there is one session', ({ plane }) =>
          plane.sessions.length === 1 ? undefined : `${plane.sessions.length} sessions were opened`,
        ),
      ],
    },
    {
      name: 'open-request-ended',
      rule: 'Errors',
      proves: 'After LEASE_LOST of OpenSession the worker uses another request_id.',
      steps: [
        spoil('OpenSession', { seen: leaseLost }),
        ready,
        check('the second request_id is another', (stage) =>
          requestOf(stage, 0)?.requestId === requestOf(stage, 1)?.requestId ? 'it is the same' : undefined,
        ),
      ],
    },
    {
      name: 'open-overloaded',
      rule: 'Errors',
      proves: 'After RESOURCE_EXHAUSTED the worker tries again when its RetryInfo says so.',
      steps: [
        spoil('OpenSession', { seen: overloaded }),
        ready,
        check('the second try came 2 s after the first', (stage) => {
          const [first, second] = opens(stage);
          const gap = (second?.at ?? 0) - (first?.endedAt ?? 0);
          return gap > 1_900 ? undefined : `it came after ${Math.round(gap)} ms`;
        }),
      ],
    },
    {
      name: 'open-version-refused',
      rule: 'Errors',
      proves: 'A worker whose protocol version is refused gives up, says why, and ends with an exit code other than 0.',
      steps: refused(newer, /protocol 1|PROTOCOL_VERSION_UNSUPPORTED/),
    },
    {
      name: 'open-argument-refused',
      rule: 'Errors',
      proves: 'A worker whose offer is invalid gives up and names the field.',
      steps: refused(badName, /worker_name/),
    },
    {
      name: 'open-unimplemented',
      rule: 'Errors',
      proves: 'A worker whose server is not a Muster gives up.',
      steps: refused(
        { code: 'UNIMPLEMENTED', message: 'unknown service SessionService' },
        /SessionService|UNIMPLEMENTED|not know this call/i,
      ),
    },
    {
      name: 'open-denied',
      rule: 'Errors',
      proves: 'A worker whose access is denied gives up.',
      steps: refused(
        { code: 'PERMISSION_DENIED', message: 'not for this worker' },
        /not for this worker|PERMISSION_DENIED/i,
      ),
    },
  ],
};
