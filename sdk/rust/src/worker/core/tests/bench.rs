//! A core whose effects are recorded, and answered by the tests.

use std::collections::VecDeque;
use std::sync::Arc;

use tonic::Code;
use uuid::Uuid;

use crate::duration::to_proto;
use crate::error::CallError;
use crate::v1;
use crate::worker::core::Millis;
use crate::worker::core::effect::{Effect, SessionNumber};
use crate::worker::core::outcome::{HandlerOutcome, Outcome};
use crate::worker::core::session_core::SessionCore;
use crate::worker::core::slot_table::Slot;
use crate::worker::core::start_gate::StartGate;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1::{self as protocol, AttemptReport, ReportAttemptsRequest, SendHeartbeatRequest};
use crate::worker::worker_event::WorkerEvent;

pub(super) const BEAT: Millis = 5_000;
pub(super) const LEASE: Millis = 15_000;
pub(super) const MAX_PAYLOAD: i32 = 1_000;

pub(super) struct Started {
    pub slot: Slot,
    pub assignment: protocol::Assignment,
    pub gate: Arc<StartGate>,
}

pub(super) struct SentBeat {
    pub session: SessionNumber,
    pub number: u64,
    pub request: SendHeartbeatRequest,
}

pub(super) struct SentReports {
    pub session: SessionNumber,
    pub call: u64,
    pub request: ReportAttemptsRequest,
}

pub(super) struct Bench {
    pub core: SessionCore,
    pub now: Millis,
    pub applies: VecDeque<v1::ApplyJobDefinitionRequest>,
    pub opens: VecDeque<protocol::OpenSessionRequest>,
    pub beats: VecDeque<SentBeat>,
    pub reports: VecDeque<SentReports>,
    pub started: Vec<Started>,
    pub stopped: Vec<(Slot, StopReason)>,
    pub events: Vec<WorkerEvent>,
    pub closes: usize,
    pub reconnects: usize,
    pub bus_urls: Vec<String>,
    pub finished: Option<Result<(), CallError>>,
    pub sessions: SessionNumber,
    pings: u64,
}

impl Bench {
    /// A worker that has requested a session.
    pub fn new(slots: i32) -> Self {
        Self::with_definitions(slots, &[])
    }

    /// A worker that has started to apply its definitions.
    pub fn with_definitions(slots: i32, names: &[&str]) -> Self {
        let definitions = names.iter().map(|&name| v1::ApplyJobDefinitionRequest {
            definition: Some(v1::JobDefinition { name: name.into(), ..Default::default() }),
            request_id: format!("request {name}"),
            ..Default::default()
        });
        let offer = protocol::OpenSessionRequest {
            slots,
            handlers: vec![v1::Handler { name: "work".into(), min_version: 0, max_version: 2 }],
            ..Default::default()
        };
        let mut bench = Self {
            core: SessionCore::new(definitions.collect(), offer, Box::new(|| 0.0)),
            now: 1_000_000,
            applies: VecDeque::new(),
            opens: VecDeque::new(),
            beats: VecDeque::new(),
            reports: VecDeque::new(),
            started: Vec::new(),
            stopped: Vec::new(),
            events: Vec::new(),
            closes: 0,
            reconnects: 0,
            bus_urls: Vec::new(),
            finished: None,
            sessions: 0,
            pings: 0,
        };
        bench.core.start(bench.now);
        bench.collect();
        bench
    }

    /// A worker whose session has received a ping and granted its slots, with the credit.
    pub fn ready(slots: i32) -> (Self, protocol::Credit) {
        let mut bench = Self::new(slots);
        bench.open();
        let credit = bench.connect();
        (bench, credit)
    }

    /// Answers OpenSession.
    pub fn open(&mut self) {
        self.opens.pop_front().expect("a session is asked for");
        self.sessions += 1;
        let response = protocol::OpenSessionResponse {
            session_id: Uuid::from_u128(self.sessions.into()).as_bytes().to_vec().into(),
            beat_interval: Some(to_proto(BEAT)),
            lease: Some(to_proto(LEASE)),
            max_payload: MAX_PAYLOAD,
            ..Default::default()
        };
        self.deliver(|core, now| core.opened(now, Ok(response)));
    }

    /// Connects the bus and delivers its first ping; returns the credit that comes with the echo.
    pub fn connect(&mut self) -> protocol::Credit {
        let session = self.sessions;
        self.deliver(|core, now| core.bus_changed(now, session, true));
        self.answer_beats();
        self.ping();
        let beat = self.beats.back().expect("a beat brings the echo");
        assert_eq!(beat.request.ping_echo, self.pings);
        let credit = *beat.request.credits.first().expect("slots are granted");
        self.answer_beats();
        credit
    }

    pub fn ping(&mut self) {
        self.pings += 1;
        self.message(protocol::SessionMessage { ping: self.pings, ..Default::default() });
    }

    pub fn message(&mut self, message: protocol::SessionMessage) {
        let session = self.sessions;
        self.deliver(|core, now| core.bus_message(now, session, message));
    }

    pub fn assign(&mut self, assignments: Vec<protocol::Assignment>) {
        self.message(protocol::SessionMessage { assignments, ..Default::default() });
    }

    pub fn cancel(&mut self, job: u128) {
        let notice = protocol::CancelNotice { job_id: job_id(job), attempt: 1 };
        self.message(protocol::SessionMessage { cancels: vec![notice], ..Default::default() });
    }

    pub fn suspend(&mut self, job: u128) {
        let notice = protocol::SuspendNotice { job_id: job_id(job), attempt: 1, grace: None };
        self.message(protocol::SessionMessage { suspends: vec![notice], ..Default::default() });
    }

    /// Answers all pending heartbeats with success and without content.
    pub fn answer_beats(&mut self) {
        while let Some(beat) = self.beats.pop_front() {
            self.answer_beat(beat, protocol::SendHeartbeatResponse::default());
        }
    }

    pub fn answer_beat(&mut self, beat: SentBeat, response: protocol::SendHeartbeatResponse) {
        self.deliver(|core, now| core.beat_over(now, beat.session, beat.number, Ok(response)));
    }

    pub fn fail_beat(&mut self, beat: SentBeat, error: CallError) {
        self.deliver(|core, now| core.beat_over(now, beat.session, beat.number, Err(error)));
    }

    /// Advances to the next heartbeat, and returns it.
    pub fn next_beat(&mut self) -> SentBeat {
        while self.beats.is_empty() {
            let due = self.core.due();
            assert!(due < self.now + 2 * BEAT, "no beat is due");
            self.advance_to(due);
        }
        self.beats.pop_front().expect("a beat")
    }

    /// Takes the next report call, and accepts its reports.
    pub fn accept_reports(&mut self) -> Vec<AttemptReport> {
        let sent = self.reports.pop_front().expect("something is reported");
        let results = vec![protocol::ReportResult::Accepted.into(); sent.request.reports.len()];
        let reports = sent.request.reports;
        let response = protocol::ReportAttemptsResponse { results };
        self.deliver(|core, now| core.reports_over(now, sent.session, sent.call, Ok(response)));
        reports
    }

    pub fn fail_reports(&mut self, error: CallError) -> ReportAttemptsRequest {
        let sent = self.reports.pop_front().expect("something is reported");
        self.deliver(|core, now| core.reports_over(now, sent.session, sent.call, Err(error)));
        sent.request
    }

    /// The only report of the next call, which is accepted.
    pub fn only_outcome(&mut self) -> Outcome {
        let [report] = <[AttemptReport; 1]>::try_from(self.accept_reports()).expect("one report");
        report.outcome.expect("an outcome")
    }

    /// Enters the handler that was started last.
    pub fn enter(&mut self) -> Slot {
        let started = self.started.last().expect("a handler is started");
        assert!(started.gate.enter());
        started.slot
    }

    pub fn end(&mut self, slot: Slot, outcome: HandlerOutcome) {
        self.deliver(|core, now| core.handlers_ended(now, vec![(slot, outcome)]));
    }

    /// Advances the clock, and handles what is due on the way.
    pub fn advance(&mut self, time: Millis) {
        self.advance_to(self.now + time);
    }

    pub fn advance_to(&mut self, end: Millis) {
        while self.core.due() <= end {
            self.now = self.now.max(self.core.due());
            self.deliver(|_, _| {});
        }
        self.now = self.now.max(end);
    }

    pub fn deliver<T>(&mut self, deliver: impl FnOnce(&mut SessionCore, Millis) -> T) -> T {
        let answer = deliver(&mut self.core, self.now);
        self.core.tick(self.now);
        self.collect();
        answer
    }

    /// The held attempts in the next heartbeat: number of the job, and whether it was started.
    pub fn held(&mut self) -> Vec<(u128, bool)> {
        let beat = self.next_beat();
        let held = held_of(&beat.request);
        self.answer_beat(beat, protocol::SendHeartbeatResponse::default());
        held
    }

    fn collect(&mut self) {
        for effect in self.core.take_effects() {
            match effect {
                Effect::Apply { request, .. } => self.applies.push_back(*request),
                Effect::Open { request, .. } => self.opens.push_back(request),
                Effect::Beat { session, beat, request, .. } => {
                    self.beats.push_back(SentBeat { session, number: beat, request });
                }
                Effect::Report { session, call, request, .. } => {
                    self.reports.push_back(SentReports { session, call, request });
                }
                Effect::CloseSession { .. } => self.closes += 1,
                Effect::Start { slot, assignment, gate } => {
                    self.started.push(Started { slot, assignment, gate });
                }
                Effect::Stop { slot, reason } => self.stopped.push((slot, reason)),
                Effect::Event(event) => self.events.push(event),
                Effect::Finished(end) => self.finished = Some(end),
                Effect::RenewBusUrls(urls) => self.bus_urls = urls,
                Effect::ReconnectBus => self.reconnects += 1,
                _ => {}
            }
        }
    }
}

pub(super) fn job_id(job: u128) -> bytes::Bytes {
    Uuid::from_u128(job).as_bytes().to_vec().into()
}

/// An assignment of the first attempt of a job.
pub(super) fn assignment(job: u128, credit: &protocol::Credit) -> protocol::Assignment {
    protocol::Assignment {
        job_id: job_id(job),
        attempt: 1,
        credit_id: credit.credit_id,
        handler: "work".into(),
        definition_version: 1,
        ..Default::default()
    }
}

pub(super) fn held_of(request: &SendHeartbeatRequest) -> Vec<(u128, bool)> {
    let held = request.held_attempts.iter();
    held.map(|held| (Uuid::from_slice(&held.job_id).expect("a UUID").as_u128(), held.started)).collect()
}

pub(super) fn result(text: &str) -> HandlerOutcome {
    HandlerOutcome::Result(v1::Payload::with_type(text.to_owned(), "text/plain"))
}

pub(super) fn failure(kind: &str) -> HandlerOutcome {
    HandlerOutcome::Failure(v1::Failure { r#type: kind.into(), ..Default::default() })
}

pub(super) fn unavailable() -> CallError {
    CallError::new(Code::Unavailable, "nobody is there")
}

pub(super) fn lease_lost() -> CallError {
    CallError { reason: "LEASE_LOST".into(), ..CallError::new(Code::FailedPrecondition, "the session is closed") }
}

pub(super) fn released(outcome: &Outcome) -> Option<protocol::ReleaseReason> {
    match outcome {
        Outcome::Released(released) => Some(released.reason()),
        _ => None,
    }
}
