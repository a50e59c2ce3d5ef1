/** The bus: late, broken, refused, slow or dead, and how a worker copes without it. */
import type { Group } from '../case.ts';
import { assign } from '../steps/assignments.ts';
import { cutBus, reopenBus, shutBus } from '../steps/faults.ts';
import { act, allSlotsOnOffer, beats, check, ready, settled, start, until } from '../steps/life.ts';
import { isHeld, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { returns, script } from '../steps/work.ts';

const HOUR_MS = 3_600_000;

/** Number of connections that the worker has made so far. */
const keepConnections = act('counts its connections', ({ plane, kept }) =>
  kept.set('connections', plane.busLine.accepted),
);
const connectsAnew = until(
  'it connects to the bus anew',
  ({ plane, kept }) => plane.busLine.accepted > (kept.get('connections') ?? 0),
);

const renew = act('gives new credentials with the next answer', (stage) => {
  stage.session.freshAccess = stage.plane.access(stage.session.facts.id, HOUR_MS);
});

/** The session is deaf then. Without `reconnectBus` the worker would never learn of the address. */
const moveBus = act('gives the bus another address', async (stage) => {
  const { plane, session, kept } = stage;
  await plane.moveBus();
  session.natsUrls = [plane.busUrl];
  session.reconnectBus = true;
  session.freshAccess = plane.access(session.facts.id, HOUR_MS);
  kept.set('connections', 0);
});

/** As for the server, the session is deaf until a new ping has been echoed. */
const receives = act('receives again', async (stage) => {
  const { session } = stage;
  const { pings } = session;
  await stage.until('the echo of a new ping', () => session.echo > pings);
  session.reconnectBus = false;
});

export const busCases: Group = {
  title: 'The bus',
  cases: [
    {
      name: 'bus-late',
      rule: 'The bus',
      proves: 'A worker without a bus keeps trying, and beats meanwhile.',
      steps: [shutBus, start, beats(4), reopenBus, settled, works],
    },
    {
      name: 'bus-subscribes',
      rule: 'The bus',
      proves:
        'It connects with its JWT and the signature of the nonce, and subscribes only to the subject of its session.',
      steps: [
        ready,
        check('it subscribed to its own subject', ({ plane, session }) => {
          const subjects = [...plane.busWords.matchAll(/^SUB (\S+)/gm)].map(([, subject]) => subject);
          if (!subjects.includes(session.facts.subject)) return `it subscribed to ${subjects.join(', ') || 'nothing'}`;
          return subjects.every((subject) => subject === session.facts.subject)
            ? undefined
            : `it subscribed to ${subjects.join(', ')}`;
        }),
      ],
    },
    {
      name: 'bus-cut',
      rule: 'The bus',
      proves: 'A broken connection is replaced; running attempts continue.',
      steps: [
        ready,
        assign('a', script({ do: 'sleep', ms: 2_500 }, { do: 'return', value: 'continued' })),
        isHeld('a'),
        keepConnections,
        cutBus,
        connectsAnew,
        reported('a', result('continued')),
        settled,
        works,
      ],
    },
    {
      name: 'bus-away',
      rule: 'The bus',
      proves: 'While the bus is down reports and beats continue, and the worker reconnects when it is back.',
      steps: [
        ready,
        assign('a', script({ do: 'sleep', ms: 2_000 }, { do: 'return', value: 'reported' })),
        isHeld('a'),
        shutBus,
        reported('a', result('reported')),
        beats(2),
        reopenBus,
        settled,
        works,
      ],
    },
    {
      name: 'bus-reconnect-asked',
      rule: 'Heartbeats',
      proves: 'A worker reconnects when reconnect_bus asks for it, and grants everything with the next echo.',
      steps: [
        ready,
        keepConnections,
        act('asks for a new connection', ({ session }) => {
          session.reconnectBus = true;
        }),
        connectsAnew,
        receives,
        settled,
        works,
      ],
    },
    {
      name: 'bus-moved',
      rule: 'The bus',
      proves: 'The addresses that come with reconnect_bus are used, also while a former one is tried in vain.',
      steps: [
        ready,
        act('lets nothing through at the first address', ({ plane }) => plane.busLine.die()),
        moveBus,
        connectsAnew,
        receives,
        settled,
        works,
        shutBus,
        moveBus,
        connectsAnew,
        receives,
        settled,
        works,
      ],
    },
    {
      name: 'bus-renewed',
      rule: 'The bus',
      proves: 'New credentials in an answer are used from the next connection on.',
      terms: { accessMs: 8_000 },
      steps: [ready, renew, keepConnections, connectsAnew, settled, works],
    },
    {
      name: 'bus-expired',
      rule: 'The bus',
      proves: 'A worker whose credentials are refused keeps trying, and connects once it has new ones.',
      terms: { accessMs: 4_000 },
      steps: [ready, keepConnections, connectsAnew, beats(3), renew, settled, works],
    },
    {
      name: 'bus-subscription-refused',
      rule: 'The bus',
      proves: 'A refused subscription stays dead on its connection: the worker reconnects with the newest credentials.',
      steps: [
        act('gives credentials for another subject', ({ plane }) => {
          plane.givesForeignAccess = true;
        }),
        start,
        beats(2),
        renew,
        settled,
        works,
      ],
    },
    {
      name: 'bus-slow',
      rule: 'The bus',
      proves: 'A bus with a delay of half a second costs time and nothing else.',
      steps: [
        act('delays what the bus says', ({ plane }) => {
          plane.busLine.delayMs = 500;
        }),
        ready,
        works,
        allSlotsOnOffer,
      ],
    },
    {
      name: 'bus-dead',
      rule: 'The bus',
      proves: 'A connection that carries nothing is given up when the server says that the worker is deaf.',
      steps: [
        ready,
        act('lets nothing through', ({ plane, session, kept }) => {
          plane.busLine.die();
          session.reconnectBus = true;
          kept.set('connections', plane.busLine.accepted);
        }),
        connectsAnew,
        act('lets all through', ({ plane }) => plane.busLine.revive()),
        receives,
        settled,
        works,
      ],
    },
    {
      name: 'bus-down-in-answers',
      rule: 'Credits',
      proves: 'While next_beat says that the bus is down credits are granted, and assignments come in answers.',
      steps: [
        shutBus,
        act('asks for quick beats', ({ plane }) => {
          plane.quickBeatMs = 300;
        }),
        start,
        allSlotsOnOffer,
        assign('a', returns('by answer'), { by: 'answer' }),
        reported('a', result('by answer')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'bus-garbage',
      rule: 'The bus',
      proves: 'A message that is not a SessionMessage does no harm.',
      steps: [
        ready,
        act('sends bytes that are no message', (stage) =>
          stage.plane.bus.publish(stage.session.facts.subject, stage.prng.bytes(200)),
        ),
        works,
        allSlotsOnOffer,
      ],
    },
  ],
};
