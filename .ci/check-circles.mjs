// Checks that each test file belongs to a circle, and that no share takes too long by the known durations.
//
// The rules are in test/support/run/circles.ts, the durations in test/support/run/durations.json.

import { allFiles, ruleOf, rules } from '../test/support/run/circles.ts';
import { readDurations } from '../test/support/run/durations.ts';
import { readReferences } from '../test/support/run/references.ts';
import { MAX_SHARE_S, SHARES, sharesOf } from '../test/support/run/shares.ts';
import { root } from './setup/paths.mjs';

const files = allFiles(root);
const known = readDurations(root);
const shares = sharesOf(root);
const references = readReferences(root);
const faults = [
  ...files.filter((file) => !ruleOf(file)).map((file) => `${file}: belongs to no circle; add a rule to circles.ts`),
  ...rules
    .filter((rule) => !files.some((file) => ruleOf(file) === rule))
    .map((rule) => `circles.ts: "${rule.files}" decides for no file; remove the rule`),
  ...files
    .filter((file) => ruleOf(file)?.circle !== 'core' && references.get(file)?.includes('test/support/run/cases.ts'))
    .map((file) => `${file}: is not in the core, so it has no use for cases.ts`),
  ...Object.keys(known)
    .filter((file) => !files.includes(file))
    .map((file) => `durations.json: there is no ${file}; remove the line`),
  ...shares
    .map(({ seconds }, index) => ({ seconds, number: index + 1 }))
    .filter(({ seconds }) => seconds > MAX_SHARE_S)
    .map(
      ({ seconds, number }) =>
        `share ${number} takes ${seconds} s, more than ${MAX_SHARE_S}; raise SHARES, now ${SHARES}`,
    ),
];

for (const fault of faults) console.error(fault);
const circles = Map.groupBy(files, (file) => ruleOf(file)?.circle);
console.log([...circles].map(([circle, inside]) => `${circle ?? 'none'}: ${inside.length} test files`).join(', '));
console.log(shares.map(({ seconds }, index) => `share ${index + 1}: ${seconds} s`).join(', '));
if (faults.length > 0) process.exitCode = 1;
