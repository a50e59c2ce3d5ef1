//! Actions that the core requests.

use std::sync::Arc;

use super::Millis;
use super::reports::ReportCall;
use super::slot_table::Slot;
use super::start_gate::StartGate;
use crate::v1;
use crate::worker::stop_reason::StopReason;
use crate::worker::v1 as protocol;
use crate::worker::worker_event::WorkerEvent;

/// Number of a session of this worker, increasing. It identifies answers that arrive after their session has ended.
pub(crate) type SessionNumber = u64;

#[derive(Debug)]
pub(crate) enum Effect {
    /// Answered by `SessionCore::applied`.
    Apply {
        request: Box<v1::ApplyJobDefinitionRequest>,
        timeout: Millis,
    },
    /// Answered by `SessionCore::opened`.
    Open {
        request: protocol::OpenSessionRequest,
        timeout: Millis,
    },
    /// Answered by `SessionCore::beat_over`.
    Beat {
        session: SessionNumber,
        beat: u64,
        request: protocol::SendHeartbeatRequest,
        timeout: Millis,
    },
    /// Answered by `SessionCore::reports_over`.
    Report {
        session: SessionNumber,
        call: ReportCall,
        request: protocol::ReportAttemptsRequest,
        timeout: Millis,
    },
    /// Answered by `SessionCore::session_closed`.
    CloseSession {
        request: protocol::CloseSessionRequest,
        timeout: Millis,
    },
    ConnectBus {
        session: SessionNumber,
        urls: Vec<String>,
        subject: String,
        credentials: Option<protocol::NatsCredentials>,
    },
    /// For the next connection.
    RenewCredentials(protocol::NatsCredentials),
    /// For the next connection.
    RenewBusUrls(Vec<String>),
    ReconnectBus,
    CloseBus,
    /// Answered by `SessionCore::handlers_ended` once the handler has returned, if the gate lets it start.
    Start {
        slot: Slot,
        assignment: protocol::Assignment,
        gate: Arc<StartGate>,
    },
    /// Signals the handler in `slot`; it still has to return.
    Stop {
        slot: Slot,
        reason: StopReason,
    },
    /// A session was opened, or ended.
    Session(Option<OpenedSession>),
    Event(WorkerEvent),
    /// The last effect.
    Finished(Result<(), crate::error::CallError>),
    Warn(String),
    Error(String),
}

/// Facts of the session that handlers need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenedSession {
    pub id: uuid::Uuid,
    /// Maximum size of a result or checkpoint in bytes.
    pub max_payload: usize,
}
