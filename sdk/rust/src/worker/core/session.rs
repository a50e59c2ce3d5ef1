//! One session of the worker: its heartbeats, its subscription, its credits, and the attempts that it holds.

mod lease;

use std::collections::HashMap;

use bytes::Bytes;
use tonic::Code;

use super::Millis;
use super::attempts::Attempts;
use super::beats::Beats;
use super::bus_link::{BusLink, LinkChange};
use super::call_failure::is_lease_lost;
use super::effect::{Effect, SessionNumber};
use super::fence::Fence;
use super::grants::{Supply, Terms};
use super::host::Host;
use super::limits::{
    NO_PING_BEAT, OFFER_DELAY, PROGRESS_DELAY, RECONNECT_SPREAD, REPORT_TIMEOUT, USUAL_BEAT_INTERVAL, USUAL_LEASE,
};
use super::log_tail::LogLine;
use super::outcome::HandlerOutcome;
use super::reports::ReportCall;
use super::slot_table::{Execution, Slot};
use super::updates::SentUpdates;
use super::wish::Wish;
use crate::duration::to_millis;
use crate::error::CallError;
use crate::v1;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, ReleaseReason};
use crate::worker::worker_event::WorkerEvent;

/// A heartbeat without an answer.
#[derive(Debug)]
struct SentBeat {
    sent_at: Millis,
    echo: u64,
    terms: Terms,
    updates: SentUpdates,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub number: SessionNumber,
    pub id: Bytes,
    attempts: Attempts,
    fence: Fence,
    beats: Beats,
    in_flight: HashMap<u64, SentBeat>,
    bus: BusLink,
    ready: bool,
    fenced: bool,
    /// The server requests quick heartbeats because the bus is down, and assigns in their replies.
    served_in_replies: bool,
    wish: Option<Wish>,
}

impl Session {
    pub fn new(number: SessionNumber, opened: &protocol::OpenSessionResponse, opened_at: Millis) -> Self {
        let max_payload = match opened.max_payload {
            0 => usize::MAX,
            bytes => bytes as usize,
        };
        Self {
            number,
            id: opened.session_id.clone(),
            attempts: Attempts::new(max_payload),
            fence: Fence::new(opened_at, to_millis(opened.lease.as_ref(), USUAL_LEASE)),
            beats: Beats::new(to_millis(opened.beat_interval.as_ref(), USUAL_BEAT_INTERVAL)),
            in_flight: HashMap::new(),
            bus: BusLink::default(),
            ready: false,
            fenced: false,
            served_in_replies: false,
            wish: None,
        }
    }

    pub fn start(&mut self, host: &mut Host, now: Millis, opened: protocol::OpenSessionResponse) {
        self.attempts.due_by(self.fence.at());
        host.emit(Effect::ConnectBus {
            session: self.number,
            urls: opened.nats_urls,
            subject: opened.subject,
            credentials: opened.nats_credentials,
        });
        self.beat(host, now);
    }

    /// The session's request; it is returned once.
    pub fn take_wish(&mut self) -> Option<Wish> {
        self.wish.take()
    }

    /// The next time at which `tick` must be called.
    pub fn due(&self) -> Millis {
        let reports = self.attempts.outbox.reports.retry_at();
        self.beats.due().min(self.attempts.due()).min(reports)
    }

    pub fn tick(&mut self, host: &mut Host, now: Millis) {
        if self.attempts.due() <= now {
            self.watch(host, now);
        }
        if self.beats.take_due(now, self.attempts.updates.pending()) {
            self.beat(host, now);
        }
        if self.attempts.outbox.reports.retry_at() <= now {
            self.flush(host, now);
        }
    }

    /// A handler has returned. `advance` must be called once for all handlers that returned together.
    pub fn ended(&mut self, execution: Execution, outcome: HandlerOutcome) {
        self.attempts.ended(execution, outcome);
    }

    /// Starts waiting attempts, sends pending reports and offers free slots.
    pub fn advance(&mut self, host: &mut Host, now: Millis) {
        if !self.fence.passed(now) {
            self.attempts.start_waiting(host, now);
        }
        if self.attempts.outbox.wants_beat() {
            self.beats.within(now, 0);
        }
        self.flush(host, now);
        let idle = host.slot_table.free() > self.attempts.grants.credits.slots();
        if idle && !self.attempts.outbox.reports.is_active() && self.may_grant(host, now) {
            self.beats.within(now, OFFER_DELAY);
        }
        if host.draining && self.attempts.held.is_empty() {
            self.wish.get_or_insert(Wish::Drained);
        }
    }

    pub fn progress(&mut self, host: &Host, now: Millis, slot: Slot, progress: v1::Progress) {
        if self.attempts.progress(host, slot, progress) {
            self.beats.within(now, PROGRESS_DELAY);
        }
    }

    pub fn checkpoint(&mut self, host: &Host, now: Millis, slot: Slot, checkpoint: v1::Payload) {
        if self.attempts.checkpoint(host, slot, checkpoint) {
            self.beats.within(now, PROGRESS_DELAY);
        }
    }

    pub fn log(&mut self, host: &Host, now: Millis, slot: Slot, lines: Vec<LogLine>) {
        if self.attempts.log(host, slot, lines) {
            self.beats.logged(now);
        }
    }

    /// The server ends an attempt soon after its run timeout, so it must learn of the extension before that.
    pub fn extend_run_timeout(&mut self, host: &mut Host, now: Millis, slot: Slot, extension: Millis) {
        if let Some(due) = self.attempts.extend_run_timeout(host, slot, extension) {
            self.beats.within(now, PROGRESS_DELAY.min(due.saturating_sub(now)));
        }
    }

    /// The number of slots has changed: all credits are voided and granted anew.
    pub fn regrant(&mut self, host: &mut Host, now: Millis) {
        self.attempts.grants.void_all();
        self.beats.within(now, 0);
        self.advance(host, now);
    }

    pub fn drain(&mut self, host: &mut Host, now: Millis) {
        self.attempts.grants.void_all();
        self.attempts.give_back_unstarted(host, ReleaseReason::Drain);
        self.beats.within(now, 0);
        self.advance(host, now);
    }

    /// Ends everything on this side. No method may be called afterwards.
    pub fn close(&mut self, host: &mut Host, reason: StopReason) {
        host.emit(Effect::CloseBus);
        self.attempts.drop_all(host, reason);
    }

    pub fn bus_message(&mut self, host: &mut Host, now: Millis, message: protocol::SessionMessage) {
        self.take(host, now, message.assignments, &message.cancels, &message.suspends);
        if self.bus.ping(message.ping) {
            // The server ignores credits of a session that it believes to receive nothing, so all credits are granted
            // anew in the heartbeat that carries the echo.
            self.attempts.grants.void_all();
            self.beat(host, now);
        }
    }

    pub fn bus_changed(&mut self, host: &mut Host, now: Millis, connected: bool) {
        match self.bus.changed(now, connected) {
            LinkChange::Connected => {
                self.beat(host, now);
                // The bus does not confirm a subscription: the ping for that heartbeat may have been published before
                // the subscription was active.
                self.beats.within(now, NO_PING_BEAT);
            }
            // Assignments under the current credits may be lost with the connection. New credits are granted even while
            // the bus is down, because replies to heartbeats then carry assignments.
            LinkChange::Broken => {
                self.attempts.grants.void_all();
                let spread = (host.random() * RECONNECT_SPREAD as f64) as Millis;
                self.beats.within(now, spread);
            }
            LinkChange::Nothing => {}
        }
    }

    pub fn beat_over(
        &mut self,
        host: &mut Host,
        now: Millis,
        beat: u64,
        answer: Result<protocol::SendHeartbeatResponse, CallError>,
    ) {
        let Some(sent) = self.in_flight.remove(&beat) else { return };
        self.beats.over(now, sent.sent_at, answer.as_ref().err(), host.random());
        let delivered = answer.is_ok();
        // Updates that the server rejects must not cost the lease: they are not sent again.
        let refused = matches!(&answer, Err(failure) if failure.code == Code::InvalidArgument);
        let Attempts { held, updates, outbox, grants, .. } = &mut self.attempts;
        if delivered || refused {
            updates.delivered(held, sent.updates);
        }
        outbox.beat_over(held, updates, beat, delivered);
        match answer {
            Ok(response) => {
                grants.answered(&sent.terms);
                self.answered(host, now, sent.sent_at, response);
                if sent.echo > 0 && !self.ready {
                    self.ready = true;
                    host.event(WorkerEvent::Ready);
                }
            }
            Err(failure) => {
                grants.failed(sent.terms);
                self.beat_failed(host, now, &failure);
            }
        }
    }

    pub fn reports_over(
        &mut self,
        host: &mut Host,
        now: Millis,
        call: ReportCall,
        answer: Result<protocol::ReportAttemptsResponse, CallError>,
    ) {
        let over = self.attempts.outbox.reports.over(host, now, call, answer);
        if over.answered {
            self.attempts.grants.answered(&over.terms);
        } else {
            self.attempts.grants.failed(over.terms);
        }
        if over.lease_lost {
            self.wish = Some(Wish::Lost);
            return;
        }
        for id in over.acknowledged {
            host.stats.acknowledged += 1;
            self.attempts.held.remove(id);
        }
        self.advance(host, now);
    }

    /// Handles cancels first, so that a cancel in the same message as its assignment keeps the attempt from starting.
    fn take(
        &mut self,
        host: &mut Host,
        now: Millis,
        assignments: Vec<protocol::Assignment>,
        cancels: &[protocol::CancelNotice],
        suspends: &[protocol::SuspendNotice],
    ) {
        for notice in cancels {
            self.attempts.cancel(host, now, notice);
        }
        self.attempts.admit_all(host, now, self.fence.passed(now), assignments);
        for notice in suspends {
            self.attempts.suspend(host, notice);
        }
        self.advance(host, now);
    }

    fn may_grant(&self, host: &Host, now: Millis) -> bool {
        let reachable = self.bus.echo() > 0 || self.served_in_replies;
        reachable && !host.draining && !self.fence.passed(now) && !self.attempts.outbox.reports.is_backlogged()
    }

    fn compose_terms(&mut self, host: &mut Host, now: Millis) -> Terms {
        let may_grant = self.may_grant(host, now);
        let supply = Supply { held: &self.attempts.held, slot_table: &host.slot_table, rate: &mut host.rate };
        self.attempts.grants.compose(now, may_grant.then_some(supply))
    }

    fn beat(&mut self, host: &mut Host, now: Millis) {
        if !self.beats.may_send(now) {
            return;
        }
        self.beats.sent(now, host.random());
        self.attempts.grants.renew(now);
        let terms = self.compose_terms(host, now);
        let (progress, updates) = self.attempts.updates.collect(&self.attempts.held);
        let beat = self.attempts.outbox.beat_sent();
        let echo = self.bus.echo();
        let request = protocol::SendHeartbeatRequest {
            session_id: self.id.clone(),
            held_attempts: self.attempts.held.list(&host.slot_table),
            credits: terms.credits.clone(),
            voided_credit_ids: terms.voided.clone(),
            progress,
            ping_echo: echo,
            draining: host.draining,
        };
        self.in_flight.insert(beat, SentBeat { sent_at: now, echo, terms, updates });
        let timeout = self.beats.interval();
        host.emit(Effect::Beat { session: self.number, beat, request, timeout });
    }

    fn answered(&mut self, host: &mut Host, now: Millis, sent_at: Millis, response: protocol::SendHeartbeatResponse) {
        let interval = self.beats.interval();
        let next_beat = to_millis(response.next_beat.as_ref(), interval);
        if response.next_beat.is_some() {
            self.beats.within(now, next_beat);
        }
        self.fence.extend(sent_at);
        self.served_in_replies = next_beat < interval;
        if self.fenced && !self.fence.passed(now) {
            self.recover(host, now);
        }
        if let Some(credentials) = response.nats_credentials {
            host.emit(Effect::RenewCredentials(credentials));
        }
        if !response.nats_urls.is_empty() {
            host.emit(Effect::RenewBusUrls(response.nats_urls));
        }
        if response.reconnect_bus && self.bus.has_had_its_time(now) {
            host.emit(Effect::ReconnectBus);
        }
        if self.attempts.updates.pending() {
            self.beats.within(now, PROGRESS_DELAY);
        }
        if response.drain && !host.draining {
            self.wish = Some(Wish::Drain);
        }
        self.take(host, now, response.assignments, &response.cancels, &response.suspends);
    }

    fn beat_failed(&mut self, host: &mut Host, now: Millis, failure: &CallError) {
        if is_lease_lost(failure) {
            self.wish = Some(Wish::Lost);
            return;
        }
        host.warn(format!("a heartbeat failed: {failure}"));
        self.advance(host, now);
    }

    fn flush(&mut self, host: &mut Host, now: Millis) {
        while self.attempts.outbox.reports.may_call(now) {
            let terms = self.compose_terms(host, now);
            let (call, reports) = self.attempts.outbox.reports.call(terms.clone());
            let request = protocol::ReportAttemptsRequest {
                session_id: self.id.clone(),
                reports,
                credits: terms.credits,
                voided_credit_ids: terms.voided,
            };
            host.emit(Effect::Report { session: self.number, call, request, timeout: REPORT_TIMEOUT });
        }
    }
}
