/** Compares what a deployment's database keeps with what follows from its rows: all at one moment. */
import type { Database, Session } from '../driver/database.ts';
import { transferSettings } from '../transfer/settings.ts';
import { type Rule, rules } from './verify-rules.ts';

/** Faults that are returned per rule; all are counted. */
const MAX_FAULTS = 20;

export interface Fault {
  /** Such as `job 0198…`. */
  readonly subject: string;
  readonly fault: string;
}

export interface Verdict extends Pick<Rule, 'name' | 'holds'> {
  readonly faultCount: number;
  /** The first ones. */
  readonly faults: readonly Fault[];
}

const statementOf = (rule: Rule) => ({
  name: '',
  text: `SELECT count(*) OVER () AS found, f.* FROM (${rule.query}) AS f ORDER BY f.subject LIMIT ${MAX_FAULTS}`,
  row: { found: 'int8', subject: 'text', fault: 'text' } as const,
});

/** In the session's snapshot. */
export async function verdictOf(session: Session, rule: Rule): Promise<Verdict> {
  const rows = await session.run(statementOf(rule), []);
  const faults = rows.map(({ subject, fault }) => ({ subject, fault }));
  return { name: rule.name, holds: rule.holds, faultCount: rows[0]?.found ?? 0, faults };
}

/** In the session's snapshot. `onVerdict` is called after each rule. */
export async function verifyIn(session: Session, onVerdict?: (verdict: Verdict) => void): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const rule of rules) {
    const verdict = await verdictOf(session, rule);
    verdicts.push(verdict);
    onVerdict?.(verdict);
  }
  return verdicts;
}

/** It only reads, so replicas may serve the database meanwhile. */
export function verify(database: Database, onVerdict?: (verdict: Verdict) => void): Promise<Verdict[]> {
  return database.transaction(async (session) => {
    await session.run({ name: '', text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY' }, []);
    await transferSettings(session);
    return verifyIn(session, onVerdict);
  });
}
