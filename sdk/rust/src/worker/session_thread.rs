//! Keeps a worker's session alive on its own thread, so that a handler that never yields does not block it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::bus::{Bus, BusEvent, BusOptions};
use super::core::effect::{Effect, SessionNumber};
use super::core::outcome::HandlerOutcome;
use super::core::reports::ReportCall;
use super::core::session_core::SessionCore;
use super::core::slot_table::Slot;
use super::core::stats::Stats;
use super::core::{Millis, NEVER};
use super::handler_host::HandlerHost;
use super::session_api::SessionApi;
use super::worker_event::WorkerEvent;
use crate::error::{CallError, Result};
use crate::transport::open_channel;
use crate::v1;
use crate::worker::v1 as protocol;

type Answer<T> = std::result::Result<T, CallError>;

/// Messages to the session's thread. Their number is bounded: the calls of a session, and for each handler its end and
/// one notification that it has reported something.
pub(crate) enum ToSession {
    Applied(Answer<()>),
    Opened(Answer<protocol::OpenSessionResponse>),
    BeatOver(SessionNumber, u64, Answer<protocol::SendHeartbeatResponse>),
    ReportsOver(SessionNumber, ReportCall, Answer<protocol::ReportAttemptsResponse>),
    Closed(Answer<protocol::CloseSessionResponse>),
    Ended(Slot, HandlerOutcome),
    /// The handler in this slot has reported something.
    Words(Slot),
    SetSlots(usize),
    Drain,
    Close,
}

/// Messages taken from the inbox at once: handlers that return together are reported together.
const BATCH: usize = 1_000;
/// Capacity for messages of the bus; more wait in the bus's client.
const BUS_MESSAGES: usize = 64;
/// A timer fires early rather than overflows; its receiver checks the clock.
const MAX_SLEEP: Millis = 3_600_000;

/// State shared by the thread and the worker's methods.
#[derive(Default)]
pub(crate) struct Shared {
    pub stats: Stats,
    pub session_id: Option<uuid::Uuid>,
}

pub(crate) type OnEvent = Arc<dyn Fn(WorkerEvent) + Send + Sync>;

pub(crate) struct SessionThread {
    pub address: String,
    pub definitions: Vec<v1::ApplyJobDefinitionRequest>,
    pub offer: protocol::OpenSessionRequest,
    pub inbox: mpsc::UnboundedReceiver<ToSession>,
    pub sender: mpsc::UnboundedSender<ToSession>,
    pub host: HandlerHost,
    pub shared: Arc<Mutex<Shared>>,
    /// Cancelled when the session can receive jobs.
    pub ready: CancellationToken,
    pub on_event: Option<OnEvent>,
}

impl SessionThread {
    /// Starts the thread; the receiver gets the worker's result.
    pub fn spawn(self) -> std::io::Result<oneshot::Receiver<Result<()>>> {
        let (ended, receiver) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("muster-session".into()).spawn(move || {
            let end = runtime.block_on(async {
                let channel = open_channel(&self.address)?;
                Ok(Driver::new(self, SessionApi::new(channel)).run().await?)
            });
            // The receiver may have been dropped.
            let _ = ended.send(end);
        })?;
        Ok(receiver)
    }
}

/// Passes events to the core, and executes its effects.
struct Driver {
    core: SessionCore,
    api: SessionApi,
    clock: Instant,
    inbox: mpsc::UnboundedReceiver<ToSession>,
    sender: mpsc::UnboundedSender<ToSession>,
    bus: Option<Bus>,
    from_bus: mpsc::Receiver<(SessionNumber, BusEvent)>,
    to_bus: mpsc::Sender<(SessionNumber, BusEvent)>,
    host: HandlerHost,
    shared: Arc<Mutex<Shared>>,
    ready: CancellationToken,
    on_event: Option<OnEvent>,
    finished: Option<Answer<()>>,
}

impl Driver {
    fn new(thread: SessionThread, api: SessionApi) -> Self {
        let (to_bus, from_bus) = mpsc::channel(BUS_MESSAGES);
        Self {
            core: SessionCore::new(thread.definitions, thread.offer, Box::new(rand::random::<f64>)),
            api,
            clock: Instant::now(),
            inbox: thread.inbox,
            sender: thread.sender,
            bus: None,
            from_bus,
            to_bus,
            host: thread.host,
            shared: thread.shared,
            ready: thread.ready,
            on_event: thread.on_event,
            finished: None,
        }
    }

    async fn run(mut self) -> Answer<()> {
        let mut batch = Vec::new();
        self.core.start(self.now());
        loop {
            self.perform();
            if let Some(end) = self.finished.take() {
                return end;
            }
            let due = sleep_until_due(self.core.due(), self.now());
            tokio::select! {
                _ = self.inbox.recv_many(&mut batch, BATCH) => self.deliver(&mut batch),
                Some((session, event)) = self.from_bus.recv() => self.deliver_bus(session, event),
                () = due => {}
            }
            let now = self.now();
            self.core.tick(now);
        }
    }

    fn now(&self) -> Millis {
        self.clock.elapsed().as_millis() as Millis
    }

    fn deliver(&mut self, batch: &mut Vec<ToSession>) {
        let now = self.now();
        let mut ends = Vec::new();
        for message in batch.drain(..) {
            match message {
                ToSession::Ended(slot, outcome) => {
                    self.deliver_words(now, slot);
                    self.host.ended(slot);
                    ends.push((slot, outcome));
                }
                ToSession::Words(slot) => self.deliver_words(now, slot),
                ToSession::Applied(answer) => self.core.applied(now, answer),
                ToSession::Opened(answer) => self.core.opened(now, answer),
                ToSession::BeatOver(session, beat, answer) => self.core.beat_over(now, session, beat, answer),
                ToSession::ReportsOver(session, call, answer) => self.core.reports_over(now, session, call, answer),
                ToSession::Closed(answer) => self.core.session_closed(answer),
                ToSession::SetSlots(slots) => self.core.set_slots(now, slots),
                ToSession::Drain => self.core.drain(now),
                ToSession::Close => self.core.close(),
            }
        }
        if !ends.is_empty() {
            self.core.handlers_ended(now, ends);
        }
    }

    fn deliver_words(&mut self, now: Millis, slot: Slot) {
        let mut words = self.host.take_words(slot);
        if let Some(extension) = words.extension {
            self.core.extend_run_timeout(now, slot, extension);
        }
        if let Some(progress) = words.progress {
            self.core.progress(now, slot, progress);
        }
        if let Some(checkpoint) = words.checkpoint {
            self.core.checkpoint(now, slot, checkpoint);
        }
        if !words.logs.is_empty() {
            self.core.log(now, slot, words.logs.take());
        }
    }

    fn deliver_bus(&mut self, session: SessionNumber, event: BusEvent) {
        let now = self.now();
        match event {
            BusEvent::Message(message) => self.core.bus_message(now, session, message),
            BusEvent::Connected(connected) => self.core.bus_changed(now, session, connected),
        }
    }

    fn perform(&mut self) {
        for effect in self.core.take_effects() {
            self.do_one(effect);
        }
        self.share(|shared, driver| shared.stats = driver.core.stats());
    }

    fn do_one(&mut self, effect: Effect) {
        match effect {
            Effect::Apply { request, timeout } => {
                self.answer(self.api.clone().apply(*request, timeout), ToSession::Applied);
            }
            Effect::Open { request, timeout } => {
                self.answer(self.api.clone().open(request, timeout), ToSession::Opened);
            }
            Effect::Beat { session, beat, request, timeout } => {
                let over = move |answer| ToSession::BeatOver(session, beat, answer);
                self.answer(self.api.clone().beat(request, timeout), over);
            }
            Effect::Report { session, call, request, timeout } => {
                let over = move |answer| ToSession::ReportsOver(session, call, answer);
                self.answer(self.api.clone().report(request, timeout), over);
            }
            Effect::CloseSession { request, timeout } => {
                self.answer(self.api.clone().close(request, timeout), ToSession::Closed);
            }
            Effect::ConnectBus { session, urls, subject, credentials } => {
                let options = BusOptions { session, urls, subject, credentials };
                self.bus = Some(Bus::connect(options, self.to_bus.clone()));
            }
            Effect::RenewCredentials(credentials) => {
                self.bus.iter().for_each(|bus| bus.renew_credentials(credentials.clone()));
            }
            Effect::RenewBusUrls(urls) => self.bus.iter().for_each(|bus| bus.renew_urls(urls.clone())),
            Effect::ReconnectBus => self.bus.iter().for_each(Bus::reconnect),
            Effect::CloseBus => self.bus = None,
            Effect::Start { slot, assignment, gate } => self.host.start(slot, assignment, gate),
            Effect::Stop { slot, reason } => self.host.stop(slot, reason),
            Effect::Session(opened) => {
                if let Some(opened) = opened {
                    self.host.session_opened(opened);
                }
                self.share(|shared, _| shared.session_id = opened.map(|opened| opened.id));
            }
            Effect::Event(event) => {
                self.share(|shared, driver| shared.stats = driver.core.stats());
                if event == WorkerEvent::Ready {
                    self.ready.cancel();
                }
                self.on_event.iter().for_each(|on_event| on_event(event));
            }
            Effect::Finished(end) => self.finished = Some(end),
            Effect::Warn(message) => tracing::warn!(target: "muster", "{message}"),
            Effect::Error(message) => tracing::error!(target: "muster", "{message}"),
        }
    }

    /// Makes a call and sends its answer to the inbox.
    fn answer<T>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
        message: impl FnOnce(T) -> ToSession + Send + 'static,
    ) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let answer = call.await;
            let _ = sender.send(message(answer));
        });
    }

    fn share(&self, change: impl FnOnce(&mut Shared, &Self)) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shared, self);
    }
}

async fn sleep_until_due(due: Millis, now: Millis) {
    if due == NEVER {
        return std::future::pending().await;
    }
    let wait = due.saturating_sub(now).min(MAX_SLEEP);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}
