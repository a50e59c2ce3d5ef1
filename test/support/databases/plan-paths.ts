/** How the plan of a statement reaches its tables. */
import type { Statement } from '../../../server/store/driver/database.ts';
import { type StoreContext, sql } from '../store/store-context.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Join Filter'?: string;
  readonly Plans?: readonly PlanNode[];
}

const withoutDay = (name: string | undefined) => name?.replace(/_(\d{8}|default)(?=_|$)/, '_day');

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const inner of node.Plans ?? []) yield* nodesOf(inner);
}

/** Every node of a statement's plan. */
export async function nodesOfPlan(context: StoreContext, statement: Statement): Promise<PlanNode[]> {
  const [row] = await sql(context, `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${statement.text}`);
  return [...nodesOf(row?.['QUERY PLAN'][0].Plan)];
}

/** The access path of each table: `job_runs by job_runs_ready`, or `job_runs by Seq Scan`. Writes are not listed. */
export async function pathsOf(context: StoreContext, statement: Statement): Promise<string[]> {
  const paths = new Set<string>();
  let table: string | undefined;
  for (const node of await nodesOfPlan(context, statement)) {
    const type = node['Node Type'];
    // A part of a key that is not a condition of the index: for each value the scan reads all rows that share the rest.
    if (node['Join Filter']?.includes('= ANY (ARRAY[')) paths.add(`a join that compares ${node['Join Filter']}`);
    if (type === 'Bitmap Heap Scan') table = withoutDay(node['Relation Name']);
    else if (type.endsWith('Scan') && (node['Relation Name'] || type === 'Bitmap Index Scan')) {
      const whole = type.includes('Index') && !node['Index Cond'] ? 'the whole of ' : '';
      paths.add(`${withoutDay(node['Relation Name']) ?? table} by ${whole}${withoutDay(node['Index Name']) ?? type}`);
    }
  }
  return [...paths].sort();
}
