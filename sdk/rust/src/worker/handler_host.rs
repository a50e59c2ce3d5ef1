//! Runs handlers on the program's runtime and passes their outcomes to the session's thread.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::children::{Children, patient};
use super::context::{Context, ContextParts};
use super::core::effect::OpenedSession;
use super::core::outcome::HandlerOutcome;
use super::core::slot_table::Slot;
use super::core::start_gate::StartGate;
use super::handler::{BoxHandler, execute};
use super::mailbox::Mailbox;
use super::session_thread::ToSession;
use super::stop::Stop;
use super::stop_reason::StopReason;
use super::word::Words;
use crate::client::calls::Calls;
use crate::telemetry::handler_span::HandlerSpan;
use crate::v1;
use crate::worker::v1 as protocol;

struct Running {
    stop: Arc<Stop>,
    mailbox: Arc<Mailbox>,
}

pub(crate) struct HandlerHost {
    handlers: HashMap<String, BoxHandler>,
    runtime: Handle,
    /// For children. Its connection belongs to the program's runtime.
    calls: Arc<Calls>,
    session: UnboundedSender<ToSession>,
    opened: OpenedSession,
    running: Vec<Option<Running>>,
}

impl HandlerHost {
    pub fn new(
        handlers: HashMap<String, BoxHandler>,
        runtime: Handle,
        calls: Calls,
        session: UnboundedSender<ToSession>,
    ) -> Self {
        let opened = OpenedSession { id: Uuid::nil(), max_payload: usize::MAX };
        Self { handlers, runtime, calls: patient(calls), session, opened, running: Vec::new() }
    }

    pub fn session_opened(&mut self, opened: OpenedSession) {
        self.opened = opened;
    }

    pub fn start(&mut self, slot: Slot, assignment: protocol::Assignment, gate: Arc<StartGate>) {
        let Some(handler) = self.handlers.get(&assignment.handler).cloned() else {
            // The session accepts only attempts for which there is a handler.
            return;
        };
        let stop = Arc::new(Stop::default());
        let mailbox = Arc::new(Mailbox::new(slot, self.session.clone()));
        if self.running.len() <= slot {
            self.running.resize_with(slot + 1, || None);
        }
        self.running[slot] = Some(Running { stop: stop.clone(), mailbox: mailbox.clone() });
        let job_id = Uuid::from_slice(&assignment.job_id).unwrap_or_default();
        let attempt = assignment.attempt;
        let start = Start {
            handler,
            gate,
            slot,
            session: self.session.clone(),
            parts: ContextParts {
                children: Some(Children::new(self.calls.clone(), job_id, attempt, self.opened.id)),
                max_payload: self.opened.max_payload,
                assignment,
                job_id,
                stop,
                outlet: mailbox,
                trace: None,
            },
        };
        self.runtime.spawn(start.run());
    }

    pub fn stop(&self, slot: Slot, reason: StopReason) {
        if let Some(Some(running)) = self.running.get(slot) {
            running.stop.stop(reason);
        }
    }

    /// Everything that the handler in `slot` has reported since the last call.
    pub fn take_words(&self, slot: Slot) -> Words {
        match self.running.get(slot) {
            Some(Some(running)) => running.mailbox.take(),
            _ => Words::default(),
        }
    }

    /// The handler in `slot` has returned.
    pub fn ended(&mut self, slot: Slot) {
        if let Some(running) = self.running.get_mut(slot) {
            *running = None;
        }
    }
}

/// A handler that is about to be entered.
struct Start {
    handler: BoxHandler,
    parts: ContextParts,
    gate: Arc<StartGate>,
    slot: Slot,
    session: UnboundedSender<ToSession>,
}

impl Start {
    async fn run(mut self) {
        // An attempt that was taken back meanwhile must not start; its slot may be in use again.
        if !self.gate.enter() {
            return;
        }
        let mut end = End { slot: self.slot, session: self.session, outcome: None };
        let span = HandlerSpan::start(&self.parts.assignment, &self.parts.job_id);
        self.parts.trace = span.fields().cloned();
        end.outcome = Some(execute(&self.handler, Context::new(self.parts), span).await);
    }
}

/// Notifies the session that a handler has ended, also when its task is dropped together with its runtime.
struct End {
    slot: Slot,
    session: UnboundedSender<ToSession>,
    outcome: Option<HandlerOutcome>,
}

impl Drop for End {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            HandlerOutcome::Failure(v1::Failure {
                r#type: "HandlerDropped".into(),
                message: "the runtime of the handler was shut down before it had returned".into(),
                failure_cause: v1::FailureCause::Infrastructure.into(),
                ..Default::default()
            })
        });
        // Without a session's thread the worker has ended, and there is no receiver.
        let _ = self.session.send(ToSession::Ended(self.slot, outcome));
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::mpsc;

    use super::*;
    use crate::payload::Payload;
    use crate::worker::handler::raw;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// A host on `runtime` with one handler, `waits`, which waits until it is asked to stop.
    fn host(runtime: &Runtime) -> (HandlerHost, mpsc::UnboundedReceiver<ToSession>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let calls = runtime.block_on(async { Calls::open("127.0.0.1:1").unwrap() });
        let waits = raw(|context: Context, _| async move {
            context.progress(0.5, "waiting");
            Ok(Payload::bytes(context.stopped().await.to_string()))
        });
        let handlers = HashMap::from([("waits".to_owned(), waits)]);
        (HandlerHost::new(handlers, runtime.handle().clone(), calls, sender), inbox)
    }

    fn start(host: &mut HandlerHost) -> Arc<StartGate> {
        let gate = Arc::new(StartGate::default());
        let assignment =
            protocol::Assignment { job_id: vec![0; 16].into(), handler: "waits".into(), ..Default::default() };
        host.start(3, assignment, gate.clone());
        gate
    }

    fn next(inbox: &mut mpsc::UnboundedReceiver<ToSession>) -> ToSession {
        inbox.blocking_recv().expect("the host is there")
    }

    #[test]
    fn a_handler_says_something_is_stopped_and_ends() {
        let runtime = runtime();
        let (mut host, mut inbox) = host(&runtime);
        start(&mut host);
        assert!(matches!(next(&mut inbox), ToSession::Words(3)));
        assert_eq!(host.take_words(3).progress.unwrap().message, "waiting");
        host.stop(3, StopReason::Cancelled);
        let ToSession::Ended(3, HandlerOutcome::Result(payload)) = next(&mut inbox) else { panic!("no result") };
        assert_eq!(payload.data, "cancelled");
    }

    #[test]
    fn what_was_taken_back_is_never_entered() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (mut host, mut inbox) = host(&runtime);
        let gate = start(&mut host);
        assert!(gate.withdraw());
        runtime.block_on(async { tokio::task::yield_now().await });
        assert!(inbox.try_recv().is_err());
    }

    #[test]
    fn a_handler_whose_runtime_is_shut_down_ends() {
        let runtime = runtime();
        let (mut host, mut inbox) = host(&runtime);
        start(&mut host);
        assert!(matches!(next(&mut inbox), ToSession::Words(3)));
        drop(runtime);
        let ToSession::Ended(3, HandlerOutcome::Failure(failure)) = next(&mut inbox) else { panic!("no failure") };
        assert_eq!(failure.failure_cause(), v1::FailureCause::Infrastructure);
    }
}
