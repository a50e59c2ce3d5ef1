//! What the core wants done in the world.

use std::sync::Arc;

use super::Millis;
use super::places::Place;
use super::reports::ReportCall;
use super::start_gate::StartGate;
use crate::v1;
use crate::worker::stop_reason::StopReason;
use crate::worker::worker_event::WorkerEvent;

/// Number of a session of this worker, rising. An answer that comes after its session has ended is told by it.
pub(crate) type SessionNumber = u64;

#[derive(Debug)]
pub(crate) enum Effect {
    /// To be answered by `SessionCore::opened`.
    Open {
        request: v1::OpenSessionRequest,
        timeout: Millis,
    },
    /// To be answered by `SessionCore::beat_over`.
    Beat {
        session: SessionNumber,
        beat: u64,
        request: v1::HeartbeatRequest,
        timeout: Millis,
    },
    /// To be answered by `SessionCore::reports_over`.
    Report {
        session: SessionNumber,
        call: ReportCall,
        request: v1::ReportAttemptsRequest,
        timeout: Millis,
    },
    /// To be answered by `SessionCore::session_closed`.
    CloseSession {
        request: v1::CloseSessionRequest,
        timeout: Millis,
    },
    ConnectBus {
        session: SessionNumber,
        urls: Vec<String>,
        subject: String,
        credentials: Option<v1::NatsCredentials>,
    },
    /// To be used from the next connection on.
    RenewCredentials(v1::NatsCredentials),
    ReconnectBus,
    CloseBus,
    /// To be answered by `SessionCore::handlers_ended` once the handler has returned; if the gate lets it in at all.
    Start {
        place: Place,
        assignment: v1::Assignment,
        gate: Arc<StartGate>,
    },
    /// Signals the handler in `place`; it still has to return.
    Stop {
        place: Place,
        reason: StopReason,
    },
    /// A session was opened, or ended.
    Session(Option<OpenedSession>),
    Event(WorkerEvent),
    /// Nothing more will come.
    Finished(Result<(), crate::error::CallError>),
    Warn(String),
    Error(String),
}

/// What handlers need to know of the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenedSession {
    pub id: uuid::Uuid,
    /// Largest result or checkpoint in bytes.
    pub max_payload: usize,
}
