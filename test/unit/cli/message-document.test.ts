/** Documents in the forms that people write. Each mistake is named by its path. */
import { JobDefinitionSchema } from '@muster-jobs/sdk/grpc';
import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../server/cli/input/documents.ts';
import { decodeDocument } from '../../../server/cli/input/message-document.ts';
import { nearName } from '../../../server/domain/base/near-name.ts';

function decoded(text: string) {
  const [document] = parseDocuments(text, 'jobs.yaml');
  return decodeDocument(JobDefinitionSchema, document?.value);
}

const problems = (text: string) => (decoded(text) as { problems: object[] }).problems;

describe('a definition', () => {
  it('may use either spelling of fields, spans, short enum names, and schemas as objects', () => {
    const text = `
name: mail
run_timeout: 1m30s
retryPolicy:
  maxAttempts: 5
  backoff: exponential
  rules:
    - { types: [Busy], action: retry, delay: 0.25s, causes: [application] }
circuitBreaker: { failureThreshold: 3, window: "60s" }
inputJsonSchema: { type: object, required: [to] }
task: { handler: send }
labels: { team: shop }
`;
    expect(decoded(text)).toMatchObject({
      message: {
        name: 'mail',
        runTimeout: { seconds: 90n, nanos: 0 },
        retryPolicy: {
          maxAttempts: 5,
          backoff: 1,
          rules: [{ action: 1, causes: [1], delay: { seconds: 0n, nanos: 250_000_000 } }],
        },
        circuitBreaker: { failureThreshold: 3, window: { seconds: 60n } },
        inputJsonSchema: '{"type":"object","required":["to"]}',
        body: { case: 'task', value: { handler: 'send' } },
        labels: { team: 'shop' },
      },
    });
  });

  it.each([
    ['nme: x', 'nme', /did you mean name\?/],
    ['retryPolicy: { maxAtempts: 3 }', 'retryPolicy.maxAtempts', /did you mean maxAttempts\?/],
    [
      'retryPolicy: { rules: [{ action: retry }, { zzzzzzzz: 1 }] }',
      'retryPolicy.rules[1].zzzzzzzz',
      /there are action, causes/,
    ],
    ['priority: high', 'priority', /expected number|int32/],
    ['runTimeout: 5y', 'runTimeout', /5y/],
    ['runTimeout: 30', 'runTimeout', /30/],
    ['leaseLossAction: sometimes', 'leaseLossAction', /sometimes/],
    ['retryPolicy: 3', 'retryPolicy', /must be a mapping of fields, not a number/],
    ['retryPolicy: []', 'retryPolicy', /not a list/],
    ['{ run_timeout: 1s, runTimeout: 2s }', 'runTimeout', /twice/],
    ['labels: { a: 1 }', 'labels', /string/],
    ['just text', '', /must be a mapping of fields, not a string/],
    ['__proto__: { name: x }', '__proto__', /is no field/],
  ])('with %s is refused at %s', (text, field, description) => {
    expect(problems(text)).toEqual([{ field, description: expect.stringMatching(description) }]);
  });

  it('is refused with all its mistakes at once', () => {
    expect(problems('{ nme: x, priority: high }')).toHaveLength(2);
  });
});

describe('a file', () => {
  it('may hold documents or a list of them, in YAML or JSON', () => {
    const names = (text: string) =>
      parseDocuments(text, 'f').map(({ where, value }) => [where, (value as { name: string }).name]);
    expect(names('name: a')).toEqual([['f', 'a']]);
    expect(names('---\nname: a\n---\n---\nname: b\n')).toEqual([
      ['f, document 1', 'a'],
      ['f, document 2', 'b'],
    ]);
    expect(names('[{"name": "a"}, {"name": "b"}]')).toEqual([
      ['f, document 1', 'a'],
      ['f, document 2', 'b'],
    ]);
    expect(names('')).toEqual([]);
  });

  it.each([
    ['name: "a', /f is neither YAML nor JSON: .*line 1/],
    ['name: a\nname: b', /unique.*line 2/],
    ['name: !!js/function x', /neither YAML nor JSON/],
    ['a: *b', /alias/i],
    ['a: &a [1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]', /alias/i],
  ])('that holds %j is refused with the position', (text, message) => {
    expect(() => parseDocuments(text, 'f')).toThrow(message);
  });
});

it('a suggestion is made for a near name and not for a far one', () => {
  expect(nearName('maxAttemps', ['minBackoff', 'maxAttempts'])).toBe('maxAttempts');
  expect(nearName('queue_name', ['name', 'description'])).toBeUndefined();
  expect(nearName('x', ['name'])).toBeUndefined();
});
