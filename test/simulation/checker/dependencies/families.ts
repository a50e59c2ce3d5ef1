/**
 * Handlers with children: each child is submitted once, and the parent waits for exactly the open ones and ends them
 * with itself.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import { type ChildScript, decodeScript } from '../../nodes/handler-script.ts';
import { fenceOf, names, type Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';
import { Requests } from '../base/requests.ts';
import { TransactionChecks } from '../workflows/flow-transactions.ts';

const { READY, ASSIGNED, RUNNING, WAITING, CANCELLING, SUCCEEDED, CANCELLED } = stateCodes;

interface Child {
  readonly id: string;
  readonly parent: Family;
  readonly plan: ChildScript | undefined;
  isCancelling: boolean;
  end: Ordered | undefined;
}

interface Family {
  readonly id: string;
  readonly plans: readonly ChildScript[];
  state: number;
  attempt: string;
  /** By the owner of their scripts. */
  readonly children: Map<string, Child>;
  /** The children that it waits for. */
  awaited: readonly Child[];
  end: Ordered | undefined;
}

export class FamilyChecks extends TransactionChecks {
  readonly #families = new Map<string, Family>();
  readonly #children = new Map<string, Child>();
  #requests: Requests | undefined;

  protected override settle(rows: readonly Ordered[]): void {
    for (const row of rows) if (row.kind === 'record') this.#record(row);
    for (const row of rows) this.#child(row);
    for (const row of rows) this.#parent(row);
  }

  protected override over(): void {
    for (const { facts } of this.evidence.seen.get('child told') ?? []) {
      const known = this.#families.get(String(facts.job))?.children.get(String(facts.owner));
      if (known?.id !== facts.child)
        this.#violate(
          `job ${facts.job} got child ${facts.child} (${facts.owner}) in an answer, and it is ${known?.id}`,
        );
    }
    for (const { facts, order } of this.evidence.seen.get('children seen') ?? [])
      for (const one of String(facts.ends).split(',').filter(Boolean)) {
        const [id = '', state] = one.split('=');
        const end = this.#children.get(id)?.end;
        if (end?.to !== Number(state) || end.order > order)
          this.#violate(`job ${facts.job} saw child ${id} as ${state}, it ended ${end?.to} (order ${order})`);
      }
  }

  #record(row: Ordered): void {
    const facts = this.evidence.facts.get(row.id);
    if (!facts || facts.cleanupOf !== undefined) return;
    const script = decodeScript(facts.input || '{}');
    if (facts.definition === 'parent')
      this.#families.set(row.id, {
        ...{ id: row.id, plans: (script.family ?? []).flat(), state: 0, attempt: '' },
        ...{ children: new Map(), awaited: [], end: undefined },
      });
    const parent = this.#families.get(facts.parent ?? '');
    if (!parent || facts.retryOf !== undefined) return;
    const plan = parent.plans.find((one) => one.script.owner === script.owner);
    const other = parent.children.get(script.owner);
    if (other) this.#violate(`job ${parent.id} has child ${other.id} and child ${row.id} for ${script.owner}`);
    if (parent.state !== ASSIGNED && parent.state !== RUNNING)
      this.#violate(`job ${parent.id} got child ${row.id} while it was ${names[parent.state]} (journal ${row.n})`);
    if (plan?.detached !== (facts.step === -2)) this.#violate(`child ${row.id} is stored with step ${facts.step}`);
    const child: Child = { id: row.id, parent, plan, isCancelling: false, end: undefined };
    parent.children.set(script.owner, child);
    this.#children.set(row.id, child);
    this.evidence.history.count('family: a child was submitted');
  }

  #child(row: Ordered): void {
    const child = this.#children.get(row.id);
    if (!child) return;
    this.#cancelled(child, row);
    if (row.kind === 'end') child.end = row;
    const { parent, plan, isCancelling } = child;
    const continues = (row.kind === 'move' && row.to === ASSIGNED) || (row.kind === 'end' && !isCancelling);
    if (!parent.end || plan?.detached || !continues) return;
    if (lateness(this.evidence.profile, row, parent.end.at) > 0)
      this.#violate(`child ${child.id} continues, and its parent ${parent.id} has ended (journal ${row.n})`);
  }

  /** The control plane cancels children whose parent has ended, unless they are detached. */
  #cancelled(child: Child, row: Ordered): void {
    const isAsked = row.kind === 'move' && row.to === CANCELLING;
    const isGone = row.kind === 'end' && row.to === CANCELLED && !child.isCancelling;
    if (!isAsked && !isGone) return;
    child.isCancelling = true;
    this.#requests ??= new Requests(this.evidence);
    if (this.#requests.underWay(row, 'cancelJob', 'cancelJobs')) return;
    const { parent, plan } = child;
    if (parent.end && !plan?.detached) this.evidence.history.count('family: a child was cancelled with its parent');
    else this.#violate(`child ${child.id} was cancelled without a request (journal ${row.n})`);
  }

  #parent(row: Ordered): void {
    const family = this.#families.get(row.id);
    if (!family) return;
    if (row.kind === 'attempt' && row.cause === attemptOutcomes.SUSPENDED) this.#suspended(family, row);
    if (row.kind === 'end') this.#ended(family, row);
    if (row.kind !== 'move' && row.kind !== 'create') return;
    if (family.state === WAITING && row.to === READY) this.#woken(family, row);
    if (row.to === WAITING && family.awaited.length === 0)
      this.#violate(`job ${family.id} waits for no child (journal ${row.n})`);
    family.state = row.to ?? 0;
    if (row.to === ASSIGNED) family.attempt = fenceOf(row.id, row.attempt, row.sessionId);
  }

  /** Its handler has named children, and the open ones are awaited. The attempt does not count. */
  #suspended(family: Family, row: Ordered): void {
    const report = this.evidence.asked.get(family.attempt)?.find(({ facts }) => facts.outcome === 'suspended');
    const ids = String(report?.facts.text ?? '').split(',');
    const named = ids.flatMap((id) => this.#children.get(id) ?? []).filter(({ parent }) => parent === family);
    family.awaited = named.filter(({ end }) => !end);
    this.evidence.history.count(`family: suspended, ${family.awaited.length > 0 ? 'waits' : 'all had ended'}`);
    if (row.counted !== 0) this.#violate(`job ${family.id} counts an attempt that was suspended (journal ${row.n})`);
  }

  #woken(family: Family, row: Ordered): void {
    const open = family.awaited.filter(({ end }) => !end);
    if (open.length > 0)
      this.#violate(`job ${family.id} continues, and child ${open[0]?.id} is open (journal ${row.n})`);
    const lastUs = Math.max(...family.awaited.map(({ end }) => end?.at ?? 0));
    if (lateness(this.evidence.profile, row, lastUs) > 0)
      this.#violate(`job ${family.id} waited on after its children had ended (journal ${row.n})`);
    this.evidence.history.count('family: a parent went on');
    family.awaited = [];
  }

  #ended(family: Family, row: Ordered): void {
    const { history } = this.evidence;
    if (family.state === WAITING && row.to === CANCELLED) history.count('family: cancelled while it waited');
    family.end = row;
    family.state = row.to ?? 0;
    if (row.to !== SUCCEEDED) return;
    history.count('family: a parent succeeded');
    for (const { isAwaited, script } of family.plans) {
      const child = family.children.get(script.owner);
      if (!child || (isAwaited && !child.end))
        this.#violate(`job ${family.id} has succeeded without child ${script.owner} (journal ${row.n})`);
    }
  }

  #violate(what: string): void {
    this.evidence.history.violate('families', what);
  }
}
