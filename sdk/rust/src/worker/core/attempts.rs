//! Handles each attempt of a session, from its arrival until its report is made.

use super::acceptance::{AcceptanceFacts, Verdict, judge};
use super::attempt_key::AttemptKey;
use super::cancels::Cancels;
use super::effect::Effect;
use super::grants::Grants;
use super::held::{HeldId, HeldList, Phase};
use super::host::Host;
use super::limits::{DEFAULT_RUN_TIMEOUT, MAX_HELD, PREFETCH_WAIT, RUN_TIMEOUT_GRACE};
use super::log_tail::LogLine;
use super::outbox::Outbox;
use super::outcome::{self, HandlerOutcome, Outcome};
use super::slot_table::{Execution, Slot};
use super::updates::Updates;
use super::{Millis, NEVER};
use crate::duration::to_millis;
use crate::v1;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};

#[derive(Debug)]
pub(crate) struct Attempts {
    pub held: HeldList,
    pub grants: Grants,
    pub updates: Updates,
    pub outbox: Outbox,
    cancels: Cancels,
    max_payload: usize,
    /// The next time at which `watch` must be called.
    due: Millis,
}

impl Attempts {
    pub fn new(max_payload: usize) -> Self {
        Self {
            held: HeldList::default(),
            grants: Grants::default(),
            updates: Updates::default(),
            outbox: Outbox::default(),
            cancels: Cancels::default(),
            max_payload,
            due: NEVER,
        }
    }

    pub fn due(&self) -> Millis {
        self.due
    }

    pub fn due_by(&mut self, at: Millis) {
        self.due = self.due.min(at);
    }

    /// Admits assignments for slots first: a prefetched attempt may wait, and must not take a slot that was promised to
    /// another.
    pub fn admit_all(&mut self, host: &mut Host, now: Millis, fenced: bool, assignments: Vec<protocol::Assignment>) {
        let (prefetched, direct): (Vec<_>, Vec<_>) = assignments.into_iter().partition(|it| it.prefetch);
        for assignment in direct.into_iter().chain(prefetched) {
            self.admit(host, now, fenced, assignment);
        }
    }

    fn admit(&mut self, host: &mut Host, now: Millis, fenced: bool, assignment: protocol::Assignment) {
        let Some(key) = AttemptKey::new(&assignment.job_id, assignment.attempt) else {
            host.warn("an assignment whose job_id is no UUID was ignored".into());
            return;
        };
        let prefetch = assignment.prefetch;
        let credit = self.grants.credits.facts(assignment.credit_id, &key, prefetch, now);
        let facts = AcceptanceFacts {
            held: self.held.find(&key).is_some(),
            seen: credit.seen,
            fenced,
            full: self.held.len() >= MAX_HELD,
            cancelled: self.cancels.has(&key, now),
            draining: host.draining,
            supported: host.supports(&assignment.handler, assignment.definition_version),
            credit_unspent: credit.unspent,
            slot_free: prefetch || host.slot_table.free() > 0,
        };
        let verdict = judge(facts);
        if verdict == Verdict::Ignore {
            if facts.held || facts.seen {
                host.stats.duplicates += 1;
            } else {
                host.stats.ignored += 1;
            }
            return;
        }
        // The server has spent the permit, whatever the verdict here.
        self.grants.credits.spend(assignment.credit_id, key, prefetch, now);
        let id = self.held.add(key, &assignment);
        match verdict {
            Verdict::Release(reason) => self.release(host, id, reason),
            _ => self.accept(host, now, id, assignment),
        }
    }

    fn accept(&mut self, host: &mut Host, now: Millis, id: HeldId, assignment: protocol::Assignment) {
        host.stats.accepted += 1;
        if host.slot_table.free() > 0 {
            self.start(host, now, id, assignment);
        } else {
            self.held.wait(id, assignment, now + PREFETCH_WAIT);
            self.due_by(now + PREFETCH_WAIT);
        }
    }

    fn start(&mut self, host: &mut Host, now: Millis, id: HeldId, assignment: protocol::Assignment) {
        let timeout_at = now + to_millis(assignment.run_timeout.as_ref(), DEFAULT_RUN_TIMEOUT);
        let Execution { slot, gate, .. } = host.slot_table.take(id, timeout_at);
        let (slot, gate) = (*slot, gate.clone());
        if let Some(held) = self.held.get_mut(id) {
            held.phase = Phase::Running;
            held.slot = Some(slot);
        }
        self.due_by(timeout_at);
        host.emit(Effect::Start { slot, assignment, gate });
    }

    /// Starts waiting attempts while slots are free.
    pub fn start_waiting(&mut self, host: &mut Host, now: Millis) {
        while host.slot_table.free() > 0 {
            let Some((id, expire_at)) = self.held.first_waiting() else { return };
            match self.held.leave_line(id) {
                Some(assignment) if now < expire_at => self.start(host, now, id, assignment),
                _ => self.release(host, id, ReleaseReason::NotStarted),
            }
        }
    }

    pub fn cancel(&mut self, host: &mut Host, now: Millis, notice: &protocol::CancelNotice) {
        let Some(key) = AttemptKey::new(&notice.job_id, notice.attempt) else { return };
        let Some(id) = self.held.find(&key) else {
            self.cancels.remember(key, now);
            return;
        };
        if self.is_open(id) && !self.give_back(host, id, ReleaseReason::Cancelled) {
            self.signal(host, id, StopReason::Cancelled);
        }
    }

    /// Every heartbeat repeats it, so a request that overtakes its assignment is dropped.
    pub fn suspend(&mut self, host: &mut Host, notice: &protocol::SuspendNotice) {
        let Some(key) = AttemptKey::new(&notice.job_id, notice.attempt) else { return };
        let Some(id) = self.held.find(&key) else { return };
        if self.is_open(id) && !self.give_back(host, id, ReleaseReason::Suspended) {
            self.signal(host, id, StopReason::Suspended);
        }
    }

    /// A handler has returned. Its attempt is reported if it is still held.
    pub fn ended(&mut self, execution: Execution, outcome: HandlerOutcome) {
        if let Some(id) = execution.held {
            let outcome = self.verdict_on(execution.stopped, outcome);
            self.finish_started(id, outcome);
        }
    }

    /// False if the attempt is no longer held.
    pub fn progress(&mut self, host: &Host, slot: Slot, progress: v1::Progress) -> bool {
        let id = working_for(host, slot);
        if let Some(id) = id {
            self.updates.progress(&mut self.held, id, progress);
        }
        id.is_some()
    }

    /// False if the attempt is no longer held.
    pub fn checkpoint(&mut self, host: &Host, slot: Slot, checkpoint: v1::Payload) -> bool {
        let id = working_for(host, slot);
        if let Some(id) = id {
            self.updates.checkpoint(&mut self.held, id, checkpoint);
        }
        id.is_some()
    }

    /// False if the attempt is no longer held.
    pub fn log(&mut self, host: &Host, slot: Slot, lines: Vec<LogLine>) -> bool {
        let id = working_for(host, slot);
        if let Some(id) = id {
            self.updates.log(&mut self.held, id, lines);
        }
        id.is_some()
    }

    /// Returns the previous time of the run timeout; None if the extension comes too late. `watch` is also called at
    /// the old time; nothing is due then.
    pub fn extend_run_timeout(&mut self, host: &mut Host, slot: Slot, extension: Millis) -> Option<Millis> {
        let execution = host.slot_table.get_mut(slot)?;
        let id = execution.held?;
        if execution.stopped == Some(StopReason::RunTimeout) || extension <= execution.extension {
            return None;
        }
        let due = execution.timeout_at;
        execution.timeout_at += extension - execution.extension;
        execution.extension = extension;
        self.updates.extend_run_timeout(&mut self.held, id, extension);
        Some(due)
    }

    /// Gives back every attempt whose handler was not entered.
    pub fn give_back_unstarted(&mut self, host: &mut Host, reason: ReleaseReason) {
        for id in self.held.open() {
            self.give_back(host, id, reason);
        }
    }

    /// The fence has passed. Attempts that must not continue without a lease are stopped and reported as aborted.
    pub fn abort(&mut self, host: &mut Host) {
        self.give_back_unstarted(host, ReleaseReason::NotStarted);
        for (slot, id) in host.slot_table.working() {
            if self.held.get(id).is_some_and(|held| held.continues) {
                continue;
            }
            host.emit(Effect::Stop { slot, reason: StopReason::LeaseLost });
            host.stats.aborted += 1;
            self.give_up(host, slot, StopReason::LeaseLost);
            self.finish_started(id, outcome::aborted());
        }
    }

    /// The session is over. Handlers are asked to stop, and their results are dropped.
    pub fn drop_all(&mut self, host: &mut Host, reason: StopReason) {
        for (slot, _) in host.slot_table.working() {
            let Some(execution) = self.give_up(host, slot, reason) else { continue };
            if execution.gate.withdraw() {
                host.slot_table.release(slot);
            } else {
                host.emit(Effect::Stop { slot, reason });
            }
        }
    }

    pub fn clear_due(&mut self) {
        self.due = NEVER;
    }

    /// Handles what is due by `now`, and sets the time of the next call.
    pub fn watch(&mut self, host: &mut Host, now: Millis) {
        while let Some((id, expire_at)) = self.held.first_waiting() {
            if now < expire_at {
                self.due_by(expire_at);
                break;
            }
            self.give_back(host, id, ReleaseReason::NotStarted);
        }
        for (slot, id) in host.slot_table.working() {
            self.watch_timeout(host, now, slot, id);
        }
    }

    fn watch_timeout(&mut self, host: &mut Host, now: Millis, slot: Slot, id: HeldId) {
        let Some(execution) = host.slot_table.get(slot) else { return };
        if execution.stopped.is_none() && now >= execution.timeout_at {
            if self.give_back(host, id, ReleaseReason::NotStarted) {
                return;
            }
            host.stats.timeouts += 1;
            self.signal(host, id, StopReason::RunTimeout);
            if let Some(execution) = host.slot_table.get_mut(slot) {
                execution.grace_at = now + RUN_TIMEOUT_GRACE;
            }
        }
        let Some(execution) = host.slot_table.get(slot) else { return };
        if now >= execution.grace_at {
            self.give_up(host, slot, StopReason::RunTimeout);
            self.finish_started(id, outcome::run_timeout());
        } else if execution.stopped.is_none() {
            self.due_by(execution.timeout_at);
        } else {
            self.due_by(execution.grace_at);
        }
    }

    fn signal(&mut self, host: &mut Host, id: HeldId, reason: StopReason) {
        let Some(slot) = self.held.get(id).and_then(|held| held.slot) else { return };
        let Some(execution) = host.slot_table.get_mut(slot).filter(|it| it.stopped.is_none()) else {
            return;
        };
        execution.stopped = Some(reason);
        if reason == StopReason::Cancelled {
            host.stats.cancels += 1;
        }
        host.emit(Effect::Stop { slot, reason });
    }

    /// Releases an attempt if its handler was not entered.
    fn give_back(&mut self, host: &mut Host, id: HeldId, reason: ReleaseReason) -> bool {
        let Some(held) = self.held.get(id) else { return false };
        if let Some(slot) = held.slot {
            if !host.slot_table.get(slot).is_some_and(|execution| execution.gate.withdraw()) {
                return false;
            }
            host.slot_table.release(slot);
        } else {
            self.held.leave_line(id);
        }
        self.release(host, id, reason);
        true
    }

    fn release(&mut self, host: &mut Host, id: HeldId, reason: ReleaseReason) {
        host.stats.released += 1;
        self.finish(id, outcome::released(reason));
    }

    fn verdict_on(&self, stopped: Option<StopReason>, outcome: HandlerOutcome) -> Outcome {
        match (stopped, outcome) {
            (Some(StopReason::RunTimeout), _) => outcome::run_timeout(),
            // A success that comes first wins. Only a handler that stopped because of the request is reported so.
            (Some(StopReason::Cancelled), HandlerOutcome::Failure(_) | HandlerOutcome::Suspended(_)) => {
                outcome::cancelled()
            }
            (Some(StopReason::Suspended), HandlerOutcome::Failure(_)) => outcome::suspended(Vec::new()),
            (_, outcome) => outcome::of_handler(outcome, self.max_payload),
        }
    }

    /// Detaches the handler in `slot` from its attempt. The slot stays taken until the handler has returned.
    fn give_up<'a>(&mut self, host: &'a mut Host, slot: Slot, reason: StopReason) -> Option<&'a Execution> {
        let execution = host.slot_table.get_mut(slot)?;
        execution.held = None;
        execution.stopped = Some(reason);
        Some(execution)
    }

    fn finish_started(&mut self, id: HeldId, outcome: Outcome) {
        if let Some(held) = self.held.get_mut(id) {
            held.started = true;
        }
        self.finish(id, outcome);
    }

    fn finish(&mut self, id: HeldId, outcome: Outcome) {
        if let Some(held) = self.held.get_mut(id) {
            held.phase = Phase::Closing;
            held.slot = None;
        }
        self.outbox.add(&self.held, &mut self.updates, id, outcome);
    }

    fn is_open(&self, id: HeldId) -> bool {
        self.held.get(id).is_some_and(|held| held.phase != Phase::Closing)
    }
}

/// The attempt of the handler in `slot`, if it still has one.
fn working_for(host: &Host, slot: Slot) -> Option<HeldId> {
    host.slot_table.get(slot)?.held
}
