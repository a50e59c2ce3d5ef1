/** Retry budgets with wrong settings. */
import { define } from '../base/builder.ts';

const field = 'definition.retry_budget';

for (const ratio of [-0.1, 10.1, Number.NaN, Number.POSITIVE_INFINITY, -1e300])
  define('B20', `retry budget: ratio ${ratio}`, { retryBudget: { ratio } }, `${field}.ratio`);
for (const minPerMinute of [-1, 1_000_001, 2 ** 31 - 1])
  define('B20', `retry budget: least ${minPerMinute}`, { retryBudget: { minPerMinute } }, `${field}.min_per_minute`);
