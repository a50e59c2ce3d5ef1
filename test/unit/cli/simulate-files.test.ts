/** Scenarios and arrivals in the forms that people write. A mistake is named by line or field, with the reason. */
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../server/cli/failures/cli-error.ts';
import { readArrivals } from '../../../server/cli/simulate/arrivals-file.ts';
import { override } from '../../../server/cli/simulate/overrides.ts';
import { readVariants } from '../../../server/cli/simulate/variants.ts';
import { useScratchFiles } from '../../support/base/scratch-files.ts';

const files = useScratchFiles();
const { file } = files;

const mails = {
  definitions: [{ name: 'mail', queue: 'mails', keyLimit: { key: 'labels.tenant', maxConcurrency: 2 } }],
  queues: [{ name: 'mails', maxConcurrency: 4 }],
  workers: [{ name: 'small', slots: 8 }],
};
const line = (more: object) => JSON.stringify({ at: '0s', definition: 'mail', run: '1s', ...more });
const lines = (...all: object[]) => `${all.map(line).join('\n')}\n`;
const good = lines({});

/** The scenario with all changes, and arrivals that fit it both with and without them. */
async function read(scenario: unknown, arrivals: string, ...changes: string[]) {
  const set = changes.reduce<ReturnType<typeof override>>((before, text) => override(text, before), []);
  const variants = await readVariants(process, file('some.yaml', scenario), { set });
  const last = variants.at(-1) ?? variants[0];
  return { scenario: last.scenario, arrivals: await readArrivals(process, file('some.jsonl', arrivals), variants) };
}

/** The whole text of the refusal. */
async function refused(scenario: unknown, arrivals: string, ...changes: string[]): Promise<string> {
  const error = await read(scenario, arrivals, ...changes).catch((reason: unknown) => reason);
  if (!(error instanceof CliError)) throw new Error(`was not refused: ${error}`);
  expect(error.exitCode).toBe(2);
  return [error.message, ...error.details, error.next].join('\n');
}

describe('the files of a simulation', () => {
  it('may use both spellings of fields, spans and enum names, and are sorted by time', async () => {
    const scenario = {
      definitions: [{ name: 'mail', key_limit: { max_concurrency: 2, policy: 'reject-new' }, runTimeout: '5m' }],
      workers: [{ name: 'w', slots: 2, count: 2, handlers: ['mail'], labels: { zone: 'a' }, resources: { gpu: 1 } }],
    };
    const all = lines(
      { at: '1m30s', run: '1.5s', outcome: 'failed' },
      { at: '500ms', priority: -5, delay: '1h', failures: 2 },
    );
    const { scenario: found, arrivals } = await read(scenario, all);
    expect(found).toEqual({
      definitions: [
        {
          name: 'mail',
          task: {},
          runTimeout: '300s',
          keyLimit: { maxConcurrency: 2, policy: 'LIMIT_POLICY_REJECT_NEW' },
        },
      ],
      queues: [],
      workers: [1, 2].map((n) => ({
        name: `w-${n}`,
        slots: 2,
        handlers: ['mail'],
        labels: { zone: 'a' },
        resources: { gpu: 1 },
      })),
    });
    expect(arrivals).toMatchObject([
      { line: 2, atMs: 500, priority: -5, delayMs: 3_600_000, failures: 2, runMs: 1_000, failureType: 'Simulated' },
      { line: 1, atMs: 90_000, runMs: 1_500, failures: Number.POSITIVE_INFINITY },
    ]);
  });

  it('may use calendar times, counted from the first one', async () => {
    const { arrivals } = await read(mails, lines({ at: '2026-05-04T09:30:10+02:00' }, { at: '2026-05-04T07:30:00Z' }));
    expect(arrivals.map(({ line, atMs }) => [line, atMs])).toEqual([
      [2, 0],
      [1, 10_000],
    ]);
  });

  it('can be changed field by field', async () => {
    const changes = [
      'queues.mails.maxConcurrency=9',
      'queues.other-queue.rateLimit.units=3',
      'definitions.mail.keyLimit.maxConcurrency=1',
      'definitions.mail.priority=-4',
      'definitions.mail.runTimeout=90s',
      'workers.small.slots=16',
    ];
    expect((await read(mails, good, ...changes)).scenario).toEqual({
      definitions: [
        {
          ...mails.definitions[0],
          task: {},
          priority: -4,
          runTimeout: '90s',
          keyLimit: { key: 'labels.tenant', maxConcurrency: 1 },
        },
      ],
      queues: [
        { name: 'mails', maxConcurrency: 9 },
        { name: 'other-queue', rateLimit: { units: 3 } },
      ],
      workers: [{ name: 'small', slots: 16, handlers: undefined, labels: {}, resources: {} }],
    });
    expect((await read(mails, good, 'definitions.mail.keyLimit=null')).scenario.definitions).toEqual([
      { name: 'mail', queue: 'mails', task: {} },
    ]);
  });
});

describe('a refusal of the files', () => {
  it.each<[string, unknown, RegExp]>([
    ['a list instead of a mapping', '[]', /holds no document\n.*muster simulate --help/],
    ['several documents', '{}\n---\n{}', /must hold one mapping/],
    ['invalid YAML', '{ definitions: [', /is neither YAML nor JSON/],
    ['no content', {}, /definitions: is missing[\s\S]*workers: is missing/],
    ['an unknown list', { ...mails, worker: [] }, /worker: is no field; did you mean workers\?/],
    ['a mapping instead of a list', { ...mails, queues: {} }, /queues: must be a list/],
    [
      'an unknown field',
      { ...mails, queues: [{ name: 'a', maxConcurency: 1 }] },
      /queues\[0\]\.maxConcurency: .*did you mean maxConcurrency/,
    ],
    [
      'a value of the wrong kind',
      { ...mails, queues: [{ name: 'a', maxConcurrency: 'x' }] },
      /queues\[0\]\.maxConcurrency: /,
    ],
    [
      'a workflow',
      {
        ...mails,
        definitions: [{ name: 'mail' }, { name: 'w', workflow: { steps: [{ name: 'a', definition: 'mail' }] } }],
      },
      /definitions\[1\]\.workflow: is not simulated/,
    ],
    ['no slots', { ...mails, workers: [{ name: 'w' }] }, /workers\[0\]\.slots: must be a whole number from 1 to 10000/],
    ['too many slots', { ...mails, workers: [{ name: 'w', slots: 10_001 }] }, /workers\[0\]\.slots/],
    ['a worker without a name', { ...mails, workers: [{ slots: 1 }] }, /workers\[0\]\.name/],
    ['too many workers', { ...mails, workers: [{ name: 'w', slots: 1, count: 1_001 }] }, /workers\[0\]\.count/],
    ['invalid handlers', { ...mails, workers: [{ name: 'w', slots: 1, handlers: 'mail' }] }, /workers\[0\]\.handlers/],
    ['invalid labels', { ...mails, workers: [{ name: 'w', slots: 1, labels: { a: 1 } }] }, /workers\[0\]\.labels/],
    ['a duplicate name', { ...mails, workers: [...mails.workers, ...mails.workers] }, /workers: has small twice/],
    [
      'a definition without a worker',
      { ...mails, workers: [{ name: 'w', slots: 1, handlers: ['x'] }] },
      /line 1: definition: no worker of the scenario has mail's handler mail/,
    ],
  ])('names the fault of a scenario with %s', async (_what, scenario, message) => {
    expect(await refused(scenario, good)).toMatch(message);
  });

  it.each<[string, string, RegExp]>([
    ['no content', '\n', /holds no arrivals/],
    ['invalid JSON', `${good}{"at":`, /line 2: is no JSON/],
    ['a list instead of an object', '[1]', /line 1: must be a JSON object/],
    ['an unknown field', lines({ prioritty: 1 }), /line 1: prioritty: is no field; did you mean priority\?/],
    ['no time', lines({ at: undefined }), /line 1: at: must be a span/],
    ['a time without zone', lines({ at: '2026-05-04T09:30:00' }), /line 1: at: /],
    [
      'relative and absolute times',
      lines({}, { at: '2026-05-04T09:30:00Z' }),
      /line 2: at: is a time, and that of line 1 a span/,
    ],
    ['a time too far away', lines({}, { at: '32d' }), /line 2: at: is more than 31 days/],
    ['no definition', lines({ definition: undefined }), /line 1: definition: /],
    [
      'an unknown definition',
      lines({ definition: 'mial' }),
      /line 1: definition: the scenario has no mial; did you mean mail\?/,
    ],
    ['no run time', lines({ run: undefined }), /line 1: run: is missing/],
    ['an invalid run time', lines({ run: -1 }), /line 1: run: must be a span/],
    ['a priority out of range', lines({ priority: 101 }), /line 1: priority: /],
    ['invalid labels', lines({ labels: { a: 1 } }), /line 1: labels: /],
    [
      'too many labels',
      lines({ labels: Object.fromEntries(Array.from({ length: 63 }, (_, at) => [`l${at}`, ''])) }),
      /line 1: labels: has more than 62/,
    ],
    [
      'a key without a limit',
      `${line({ definition: 'bill', limitKey: '' })}\n${line({ definition: 'bill', limitKey: 'a' })}`,
      /line 2: limitKey: definition bill has no keyLimit with a key/,
    ],
    ['an invalid key', lines({ limitKey: 1 }), /line 1: limitKey: must be a text/],
    ['an unknown outcome', lines({ outcome: 'lost' }), /line 1: outcome: /],
    ['an invalid number of failures', lines({ failures: 0.5 }), /line 1: failures: /],
    ['an invalid delay', lines({ delay: 'soon' }), /line 1: delay: /],
  ])('names the fault of arrivals with %s', async (_what, arrivals, message) => {
    const scenario = { ...mails, definitions: [...mails.definitions, { name: 'bill' }] };
    expect(await refused(scenario, arrivals)).toMatch(message);
  });

  it('does not happen when a key has a use in one of two scenarios', async () => {
    const keyed = lines({ limitKey: 'acme' });
    expect((await read(mails, keyed, 'definitions.mail.keyLimit=null')).arrivals).toHaveLength(1);
    expect((await read(mails, keyed, 'definitions.mail.keyLimit.key=""')).arrivals).toHaveLength(1);
    const without = { ...mails, definitions: [{ name: 'mail' }] };
    expect((await read(without, keyed, 'definitions.mail.keyLimit={key: input.a}')).arrivals).toHaveLength(1);
  });

  it.each([
    [
      'queues.mails.maxConcurrency=x',
      /some\.yaml --set queues\.mails\.maxConcurrency=x is wrong; nothing was simulated/,
    ],
    [
      'workers.small.handlers=[other]',
      /some\.yaml --set workers\.small\.handlers=\[other\] is wrong.*\nline 1 of .*some\.jsonl: definition: no worker of the scenario has mail's handler mail/,
    ],
    [
      'definitions.mail.name=post',
      /--set definitions\.mail\.name=post is wrong.*\nline 1 of .*: the scenario has no mail\n/,
    ],
  ])('for --set %s names the option, not the files that are valid without it', async (change, message) => {
    expect(await refused(mails, good, change)).toMatch(message);
  });

  it('names the other scenario when the arrivals do not fit that one', async () => {
    const other = file('other.yaml', { ...mails, definitions: [{ name: 'letter' }] });
    const variants = await readVariants(process, file('some.yaml', mails), { changed: other });
    const error = await readArrivals(process, file('some.jsonl', good), variants).catch((reason: unknown) => reason);
    expect((error as CliError).message).toBe(`${other} is wrong; nothing was simulated`);
  });

  it('for too many arrivals comes before any simulation', async () => {
    const row = line({});
    const text = `${row}\n`.repeat(100_001);
    expect(await refused(mails, text)).toMatch(/holds more than 100,000 arrivals, the maximum of a simulation/);
  });

  it.each([
    ['workers.smal.slots=5', /there is no smal among the workers; did you mean small\?/],
    ['definitions.males.priority=5', /there is no males among the definitions/],
    ['workers.small.slots=0', /workers\[0\]\.slots: must be a whole number/],
    ['queues.mails.maxConcurency=5', /queues\[0\]\.maxConcurency: is no field/],
    ['queues.mails.name.x=5', /name has no fields/],
    ['queues.mails.__proto__.x=5', /queues\[0\]\.__proto__: is no field/],
  ])('names the fault of --set %s', async (change, message) => {
    expect(await refused(mails, good, change)).toMatch(message);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it.each([
    'mails=5',
    'queue.mails.maxConcurrency=5',
    'queues.mails=5',
    'queues.mails.maxConcurrency',
    'queues.a.b=[',
    '',
  ])('for --set %j explains the syntax', (text) => expect(() => override(text)).toThrow(/It takes LIST|is no YAML/));

  it('shows at most ten faults', async () => {
    const said = await refused(mails, lines(...Array.from({ length: 30 }, () => ({ run: 1 }))));
    expect(said.match(/line \d+: run/g)).toHaveLength(10);
  });
});
