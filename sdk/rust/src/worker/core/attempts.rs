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
use super::places::{Execution, Place};
use super::updates::Updates;
use super::{Millis, NEVER};
use crate::duration::to_millis;
use crate::v1::{self, ReleaseReason};
use crate::worker::stop_reason::StopReason;

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
    pub fn admit_all(&mut self, host: &mut Host, now: Millis, fenced: bool, assignments: Vec<v1::Assignment>) {
        let (prefetched, direct): (Vec<_>, Vec<_>) = assignments.into_iter().partition(|it| it.prefetch);
        for assignment in direct.into_iter().chain(prefetched) {
            self.admit(host, now, fenced, assignment);
        }
    }

    fn admit(&mut self, host: &mut Host, now: Millis, fenced: bool, assignment: v1::Assignment) {
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
            place_free: prefetch || host.places.free() > 0,
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

    fn accept(&mut self, host: &mut Host, now: Millis, id: HeldId, assignment: v1::Assignment) {
        host.stats.accepted += 1;
        if host.places.free() > 0 {
            self.start(host, now, id, assignment);
        } else {
            self.held.wait(id, assignment, now + PREFETCH_WAIT);
            self.due_by(now + PREFETCH_WAIT);
        }
    }

    fn start(&mut self, host: &mut Host, now: Millis, id: HeldId, assignment: v1::Assignment) {
        let timeout_at = now + to_millis(assignment.run_timeout.as_ref(), DEFAULT_RUN_TIMEOUT);
        let Execution { place, gate, .. } = host.places.take(id, timeout_at);
        let (place, gate) = (*place, gate.clone());
        if let Some(held) = self.held.get_mut(id) {
            held.phase = Phase::Running;
            held.place = Some(place);
        }
        self.due_by(timeout_at);
        host.emit(Effect::Start { place, assignment, gate });
    }

    /// Starts waiting attempts while slots are free.
    pub fn start_waiting(&mut self, host: &mut Host, now: Millis) {
        while host.places.free() > 0 {
            let Some((id, expire_at)) = self.held.first_waiting() else { return };
            match self.held.leave_line(id) {
                Some(assignment) if now < expire_at => self.start(host, now, id, assignment),
                _ => self.release(host, id, ReleaseReason::NotStarted),
            }
        }
    }

    pub fn cancel(&mut self, host: &mut Host, now: Millis, notice: &v1::CancelNotice) {
        let Some(key) = AttemptKey::new(&notice.job_id, notice.attempt) else { return };
        let Some(id) = self.held.find(&key) else {
            self.cancels.remember(key, now);
            return;
        };
        if self.is_open(id) && !self.give_back(host, id, ReleaseReason::Cancelled) {
            self.signal(host, id, StopReason::Cancelled);
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
    pub fn progress(&mut self, host: &Host, place: Place, progress: v1::Progress) -> bool {
        let id = working_for(host, place);
        if let Some(id) = id {
            self.updates.progress(&mut self.held, id, progress);
        }
        id.is_some()
    }

    /// False if the attempt is no longer held.
    pub fn checkpoint(&mut self, host: &Host, place: Place, checkpoint: v1::Payload) -> bool {
        let id = working_for(host, place);
        if let Some(id) = id {
            self.updates.checkpoint(&mut self.held, id, checkpoint);
        }
        id.is_some()
    }

    /// False if the attempt is no longer held.
    pub fn log(&mut self, host: &Host, place: Place, lines: Vec<LogLine>) -> bool {
        let id = working_for(host, place);
        if let Some(id) = id {
            self.updates.log(&mut self.held, id, lines);
        }
        id.is_some()
    }

    /// Returns the previous time of the run timeout; None if the extension comes too late. `watch` is also called at
    /// the old time; nothing is due then.
    pub fn extend_run_timeout(&mut self, host: &mut Host, place: Place, extension: Millis) -> Option<Millis> {
        let execution = host.places.get_mut(place)?;
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
        for (place, id) in host.places.working() {
            if self.held.get(id).is_some_and(|held| held.continues) {
                continue;
            }
            host.emit(Effect::Stop { place, reason: StopReason::LeaseLost });
            host.stats.aborted += 1;
            self.give_up(host, place, StopReason::LeaseLost);
            self.finish_started(id, outcome::aborted());
        }
    }

    /// The session is over. Handlers are asked to stop, and their results are dropped.
    pub fn drop_all(&mut self, host: &mut Host, reason: StopReason) {
        for (place, _) in host.places.working() {
            let Some(execution) = self.give_up(host, place, reason) else { continue };
            if execution.gate.withdraw() {
                host.places.release(place);
            } else {
                host.emit(Effect::Stop { place, reason });
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
        for (place, id) in host.places.working() {
            self.watch_timeout(host, now, place, id);
        }
    }

    fn watch_timeout(&mut self, host: &mut Host, now: Millis, place: Place, id: HeldId) {
        let Some(execution) = host.places.get(place) else { return };
        if execution.stopped.is_none() && now >= execution.timeout_at {
            if self.give_back(host, id, ReleaseReason::NotStarted) {
                return;
            }
            host.stats.timeouts += 1;
            self.signal(host, id, StopReason::RunTimeout);
            if let Some(execution) = host.places.get_mut(place) {
                execution.grace_at = now + RUN_TIMEOUT_GRACE;
            }
        }
        let Some(execution) = host.places.get(place) else { return };
        if now >= execution.grace_at {
            self.give_up(host, place, StopReason::RunTimeout);
            self.finish_started(id, outcome::run_timeout());
        } else if execution.stopped.is_none() {
            self.due_by(execution.timeout_at);
        } else {
            self.due_by(execution.grace_at);
        }
    }

    fn signal(&mut self, host: &mut Host, id: HeldId, reason: StopReason) {
        let Some(place) = self.held.get(id).and_then(|held| held.place) else { return };
        let Some(execution) = host.places.get_mut(place).filter(|it| it.stopped.is_none()) else {
            return;
        };
        execution.stopped = Some(reason);
        if reason == StopReason::Cancelled {
            host.stats.cancels += 1;
        }
        host.emit(Effect::Stop { place, reason });
    }

    /// Releases an attempt if its handler was not entered.
    fn give_back(&mut self, host: &mut Host, id: HeldId, reason: ReleaseReason) -> bool {
        let Some(held) = self.held.get(id) else { return false };
        if let Some(place) = held.place {
            if !host.places.get(place).is_some_and(|execution| execution.gate.withdraw()) {
                return false;
            }
            host.places.release(place);
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
            // A success that comes first wins. Only a handler that stopped because of the cancel is reported as
            // cancelled.
            (Some(StopReason::Cancelled), HandlerOutcome::Failure(_) | HandlerOutcome::Suspended(_)) => {
                outcome::cancelled()
            }
            (_, outcome) => outcome::of_handler(outcome, self.max_payload),
        }
    }

    /// Detaches the handler in `place` from its attempt. The slot stays taken until the handler has returned.
    fn give_up<'a>(&mut self, host: &'a mut Host, place: Place, reason: StopReason) -> Option<&'a Execution> {
        let execution = host.places.get_mut(place)?;
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
            held.place = None;
        }
        self.outbox.add(&self.held, &mut self.updates, id, outcome);
    }

    fn is_open(&self, id: HeldId) -> bool {
        self.held.get(id).is_some_and(|held| held.phase != Phase::Closing)
    }
}

/// The attempt of the handler in `place`, if it still has one.
fn working_for(host: &Host, place: Place) -> Option<HeldId> {
    host.places.get(place)?.held
}
