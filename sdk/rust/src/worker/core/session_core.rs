//! Opens sessions, one after the other if necessary, and passes events to the current one.

use uuid::Uuid;

use super::Millis;
use super::applier::Applier;
use super::effect::{Effect, OpenedSession, SessionNumber};
use super::host::{Host, Random};
use super::limits::{CLOSE_TIMEOUT, SHORT_SESSION};
use super::log_tail::LogLine;
use super::opener::Opener;
use super::outcome::HandlerOutcome;
use super::reports::ReportCall;
use super::session::Session;
use super::slot_table::Slot;
use super::stats::Stats;
use super::wish::Wish;
use crate::error::CallError;
use crate::v1;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1 as protocol;
use crate::worker::worker_event::WorkerEvent;

pub(crate) struct SessionCore {
    host: Host,
    applier: Applier,
    opener: Opener,
    session: Option<Session>,
    last_session: SessionNumber,
    opened_at: Millis,
    closed: bool,
}

impl SessionCore {
    /// `definitions` are applied in this order before the first session is opened. `offer` describes the worker; its
    /// request id is not set.
    pub fn new(
        definitions: Vec<v1::ApplyJobDefinitionRequest>,
        offer: protocol::OpenSessionRequest,
        random: Random,
    ) -> Self {
        Self {
            host: Host::new(offer, random),
            applier: Applier::new(definitions),
            opener: Opener::default(),
            session: None,
            last_session: 0,
            opened_at: 0,
            closed: false,
        }
    }

    pub fn stats(&self) -> Stats {
        self.host.stats
    }

    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.host.effects)
    }

    /// The next time at which `tick` must be called.
    pub fn due(&self) -> Millis {
        let session = self.session.as_ref().map_or(Millis::MAX, Session::due);
        self.applier.due().min(self.opener.due()).min(session)
    }

    /// Handles what is due.
    pub fn tick(&mut self, now: Millis) {
        if self.applier.due() <= now {
            self.applier.call(&mut self.host);
        }
        if self.opener.due() <= now {
            self.opener.call(&mut self.host, now);
        }
        self.with_session(now, |session, host| session.tick(host, now));
    }

    pub fn start(&mut self, now: Millis) {
        if !self.applier.call(&mut self.host) {
            self.opener.open_at(now);
        }
        self.tick(now);
    }

    pub fn applied(&mut self, now: Millis, answer: Result<(), CallError>) {
        if self.closed {
            return;
        }
        match answer {
            Ok(()) => {
                self.applier.applied();
                self.start(now);
            }
            Err(failure) => {
                if let Err(failure) = self.applier.failed(&mut self.host, now, failure) {
                    self.refused(failure);
                }
            }
        }
    }

    pub fn opened(&mut self, now: Millis, answer: Result<protocol::OpenSessionResponse, CallError>) {
        if self.closed {
            return;
        }
        let response = match answer {
            Ok(response) => response,
            Err(failure) => {
                if let Err(failure) = self.opener.failed(&mut self.host, now, failure) {
                    self.refused(failure);
                }
                return;
            }
        };
        self.host.stats.sessions += 1;
        self.opened_at = now;
        self.last_session += 1;
        let mut session = Session::new(self.last_session, &response, self.opener.opened_at(now));
        let opened = OpenedSession {
            id: Uuid::from_slice(&response.session_id).unwrap_or_default(),
            max_payload: usize::try_from(response.max_payload).ok().filter(|it| *it > 0).unwrap_or(usize::MAX),
        };
        self.host.emit(Effect::Session(Some(opened)));
        self.host.event(WorkerEvent::Opened);
        session.start(&mut self.host, now, response);
        self.session = Some(session);
    }

    pub fn beat_over(
        &mut self,
        now: Millis,
        number: SessionNumber,
        beat: u64,
        answer: Result<protocol::SendHeartbeatResponse, CallError>,
    ) {
        self.with_number(now, number, |session, host| session.beat_over(host, now, beat, answer));
    }

    pub fn reports_over(
        &mut self,
        now: Millis,
        number: SessionNumber,
        call: ReportCall,
        answer: Result<protocol::ReportAttemptsResponse, CallError>,
    ) {
        self.with_number(now, number, |session, host| session.reports_over(host, now, call, answer));
    }

    pub fn session_closed(&mut self, answer: Result<protocol::CloseSessionResponse, CallError>) {
        if let Err(failure) = answer {
            self.host.warn(format!("the session could not be closed; it lapses by itself: {failure}"));
        }
        self.finish();
    }

    pub fn bus_message(&mut self, now: Millis, number: SessionNumber, message: protocol::SessionMessage) {
        self.with_number(now, number, |session, host| session.bus_message(host, now, message));
    }

    pub fn bus_changed(&mut self, now: Millis, number: SessionNumber, connected: bool) {
        self.with_number(now, number, |session, host| session.bus_changed(host, now, connected));
    }

    /// Handlers have returned. The reports of handlers that returned together share a call.
    pub fn handlers_ended(&mut self, now: Millis, ends: Vec<(Slot, HandlerOutcome)>) {
        self.host.rate.add(now, ends.len());
        for (slot, outcome) in ends {
            let execution = self.host.slot_table.release(slot);
            if let (Some(execution), Some(session)) = (execution, &mut self.session) {
                session.ended(execution, outcome);
            }
        }
        self.with_session(now, |session, host| session.advance(host, now));
    }

    pub fn progress(&mut self, now: Millis, slot: Slot, progress: v1::Progress) {
        self.with_session(now, |session, host| session.progress(host, now, slot, progress));
    }

    pub fn checkpoint(&mut self, now: Millis, slot: Slot, checkpoint: v1::Payload) {
        self.with_session(now, |session, host| session.checkpoint(host, now, slot, checkpoint));
    }

    pub fn log(&mut self, now: Millis, slot: Slot, lines: Vec<LogLine>) {
        self.with_session(now, |session, host| session.log(host, now, slot, lines));
    }

    /// The handler requests more time. `extension` is the total requested so far.
    pub fn extend_run_timeout(&mut self, now: Millis, slot: Slot, extension: Millis) {
        self.with_session(now, |session, host| session.extend_run_timeout(host, now, slot, extension));
    }

    /// Changes the maximum number of concurrent handlers. Running handlers continue.
    pub fn set_slots(&mut self, now: Millis, slots: usize) {
        self.host.slot_table.set_slots(slots);
        self.host.offer.slots = slots as i32;
        self.with_session(now, |session, host| session.regrant(host, now));
    }

    /// Stops accepting attempts, gives back those not started, lets the others finish, then closes.
    pub fn drain(&mut self, now: Millis) {
        if self.host.draining || self.closed {
            return;
        }
        self.host.draining = true;
        self.host.event(WorkerEvent::Draining);
        if self.session.is_some() {
            self.with_session(now, |session, host| session.drain(host, now));
        } else {
            self.close();
        }
    }

    /// Stops every handler and ends the session; the server reassigns its attempts at once.
    pub fn close(&mut self) {
        if self.closed {
            return;
        }
        let session_id = self.session.as_ref().map(|session| session.id.clone());
        self.end();
        match session_id {
            None => self.finish(),
            Some(session_id) => self.host.emit(Effect::CloseSession {
                request: protocol::CloseSessionRequest { session_id, ..Default::default() },
                timeout: CLOSE_TIMEOUT,
            }),
        }
    }

    /// The server refuses the worker for good.
    fn refused(&mut self, failure: CallError) {
        self.end();
        self.host.emit(Effect::Finished(Err(failure)));
    }

    fn end(&mut self) {
        self.closed = true;
        self.applier.cancel();
        self.opener.cancel();
        self.drop_session(StopReason::Shutdown);
    }

    fn finish(&mut self) {
        self.host.event(WorkerEvent::Closed);
        self.host.emit(Effect::Finished(Ok(())));
    }

    fn drop_session(&mut self, reason: StopReason) {
        if let Some(mut session) = self.session.take() {
            session.close(&mut self.host, reason);
            self.host.emit(Effect::Session(None));
        }
    }

    /// Stops and drops everything of the session. Slots stay taken until their handlers return.
    fn lost(&mut self, now: Millis) {
        self.host.stats.sessions_lost += 1;
        self.drop_session(StopReason::LeaseLost);
        self.host.warn("the session was closed by the server; a new one is opened".into());
        self.host.event(WorkerEvent::Lost);
        if self.host.draining {
            self.close();
            return;
        }
        let delay = self.reopen_delay(now);
        self.opener.open_at(now + delay);
    }

    /// After a short session the next one is delayed, so that sessions are not opened and lost in a tight loop.
    fn reopen_delay(&mut self, now: Millis) -> Millis {
        if now.saturating_sub(self.opened_at) >= SHORT_SESSION {
            return 0;
        }
        (SHORT_SESSION as f64 * (0.5 + 0.5 * self.host.random())) as Millis
    }

    fn with_number(&mut self, now: Millis, number: SessionNumber, deliver: impl FnOnce(&mut Session, &mut Host)) {
        if self.session.as_ref().is_some_and(|session| session.number == number) {
            self.with_session(now, deliver);
        }
    }

    fn with_session(&mut self, now: Millis, deliver: impl FnOnce(&mut Session, &mut Host)) {
        let Some(session) = &mut self.session else { return };
        deliver(session, &mut self.host);
        match session.take_wish() {
            Some(Wish::Drain) => self.drain(now),
            Some(Wish::Lost) => self.lost(now),
            Some(Wish::Drained) => self.close(),
            None => {}
        }
    }
}
