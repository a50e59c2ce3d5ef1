/** Messages that a command may send over descriptor 3. */
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../workers/exec/messages.ts';

describe('a message', () => {
  it.each([
    ['{"progress":0}', { progress: 0 }],
    ['{"progress":1,"message":"done"}', { progress: 1, message: 'done' }],
    ['{"progress":{"done":3}}', { progress: { done: 3 } }],
    ['{"progress":{"done":3,"total":4,"unit":"rows"}}', { progress: { done: 3, total: 4, unit: 'rows' } }],
    ['{"checkpoint":null}', { checkpoint: null }],
    ['{"checkpoint":{"row":7},"progress":0.5}', { checkpoint: { row: 7 }, progress: 0.5 }],
    ['{"log":""}', { log: '' }],
    ['{"log":"careful","level":"warn"}', { log: 'careful', level: 'warn' }],
    ['{"extend":"1m30s"}', { extendMs: 90_000 }],
  ])('%s is understood', (line, message) => {
    expect(parseMessage(line)).toEqual(message);
  });

  it.each([
    ['progress', /JSON/],
    ['[1]', 'it takes an object'],
    ['null', 'it takes an object'],
    ['{}', 'it takes progress, checkpoint, log or extend'],
    ['{"progres":1}', /"progres" is not known/],
    ['{"progress":"1"}', 'progress takes a number from 0 to 1'],
    ['{"progress":1.1}', 'progress takes a number from 0 to 1'],
    ['{"progress":null}', 'progress takes a number from 0 to 1, or an object with done, total and unit'],
    ['{"progress":{"total":4}}', 'done takes a whole number from 0'],
    ['{"progress":{"done":1.5}}', 'done takes a whole number from 0'],
    ['{"progress":{"done":1,"total":-1}}', 'total takes a whole number from 0'],
    ['{"progress":{"done":1,"unit":2}}', 'unit takes text'],
    ['{"progress":{"done":1,"of":2}}', '"of" is not known in progress; it takes done, total and unit'],
    ['{"progress":1,"message":1}', 'message takes text'],
    ['{"log":"a","message":"b"}', 'message goes with progress'],
    ['{"log":1}', 'log takes text'],
    ['{"progress":1,"level":"info"}', 'level goes with log'],
    ['{"log":"a","level":"loud"}', /^level takes debug, info, warn, error$/],
    ['{"extend":30}', 'extend takes a span above 0, such as "30s"'],
    ['{"extend":"0s"}', 'extend takes a span above 0, such as "30s"'],
  ])('%s is refused', (line, why) => {
    expect(() => parseMessage(line)).toThrow(why);
  });
});
