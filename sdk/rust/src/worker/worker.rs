//! Runs jobs.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::context::Context;
use super::core::limits::MAX_SLOTS;
use super::core::stats::Stats;
use super::handler::{BoxHandler, raw, typed};
use super::handler_error::HandlerError;
use super::handler_host::HandlerHost;
use super::session_thread::{OnEvent, SessionThread, Shared, ToSession};
use super::signals::Signals;
use super::worker_event::WorkerEvent;
use crate::client::calls::Calls;
use crate::client::definitions::apply_request;
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::transport::check_address;
use crate::v1;
use crate::worker::v1 as protocol;

const PROTOCOL_VERSION: i32 = 1;
const DEFAULT_NAMESPACE: &str = "default";
const DEFAULT_SLOTS: usize = 10;
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Configures a worker. [`Worker::builder`] creates it.
#[must_use = "a builder does nothing until it builds a worker"]
pub struct WorkerBuilder {
    address: String,
    definitions: Vec<v1::JobDefinition>,
    offer: protocol::OpenSessionRequest,
    slots: usize,
    handlers: HashMap<String, BoxHandler>,
    twice: Option<String>,
    signals: bool,
    stop_timeout: Duration,
    on_event: Option<OnEvent>,
}

impl WorkerBuilder {
    /// The namespace whose jobs it runs. Default: `default`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.offer.namespace = namespace.into();
        self
    }

    /// Adds a definition. [`Worker::run`] applies the definitions in this order before it opens a session, as
    /// [`Client::apply_definition`](crate::Client::apply_definition) does in the worker's namespace: a workflow follows
    /// the definitions of its steps. When workers apply different definitions of one name, the one that is applied last
    /// is the newest version.
    ///
    /// ```
    /// use muster::v1::JobDefinition;
    /// use muster::worker::{Context, Worker};
    ///
    /// # fn main() -> muster::Result<()> {
    /// let worker = Worker::builder("127.0.0.1:7070", "calculator")
    ///     .definition(JobDefinition { name: "add".into(), ..Default::default() })
    ///     .handle("add", |_: Context, (a, b): (i64, i64)| async move { Ok(a + b) })
    ///     .build()?;
    /// # let _ = worker;
    /// # Ok(())
    /// # }
    /// ```
    pub fn definition(mut self, definition: v1::JobDefinition) -> Self {
        self.definitions.push(definition);
        self
    }

    /// Maximum number of concurrent handlers, from 1 to 10,000. Default: 10.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Adds a label that jobs may demand. At most 64.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.offer.labels.insert(key.into(), value.into());
        self
    }

    /// Adds a total from which jobs take what they demand, such as `("memory", 16.0 * 1024.0 * 1024.0 * 1024.0)`:
    /// cores, bytes, devices. You define the meaning of other names. At most 16.
    pub fn resource(mut self, name: impl Into<String>, amount: f64) -> Self {
        self.offer.resources.insert(name.into(), amount);
        self
    }

    /// Whether SIGINT and SIGTERM stop the worker; a second signal stops it without waiting for handlers. Default: no.
    pub fn signals(mut self, signals: bool) -> Self {
        self.signals = signals;
        self
    }

    /// How long [`Worker::stop`] waits for handlers. Default: 30 s.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }

    /// Sets a callback for events of the worker's session. It runs on the session's thread and must not block.
    pub fn on_event(mut self, on_event: impl Fn(WorkerEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(on_event));
        self
    }

    /// Registers a handler. Its name is that of the definition, unless the definition names another handler. The input
    /// is decoded from JSON, and the result encoded as JSON; a missing input is `null`. An error or a panic fails the
    /// attempt, and the retry policy decides whether there is another one. The handler runs on the runtime in which
    /// [`Worker::run`] is called, and must not block it.
    pub fn handle<In, Out, F, Fut>(self, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Context, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<Out, HandlerError>> + Send + 'static,
        In: DeserializeOwned + 'static,
        Out: Serialize + 'static,
    {
        self.add(name.into(), 0, 0, typed(handler))
    }

    /// Registers a handler that receives the input and returns the result byte for byte. A missing input is an empty
    /// one without a content type.
    pub fn handle_payload<F, Fut>(self, name: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Context, Payload) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<Payload, HandlerError>> + Send + 'static,
    {
        self.add(name.into(), 0, 0, raw(handler))
    }

    /// Limits the handler `name` to some versions of its definition; 0 is no bound. Default: all.
    pub fn versions(mut self, name: &str, lowest: i32, highest: i32) -> Self {
        for handler in self.offer.handlers.iter_mut().filter(|handler| handler.name == name) {
            handler.min_version = lowest;
            handler.max_version = highest;
        }
        self
    }

    /// Builds the worker.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: the address is invalid, the slots are not between 1 and 10,000, there is no handler,
    /// two handlers or two definitions have the same name, or a definition is of another namespace.
    pub fn build(mut self) -> Result<Worker> {
        let wrong = |message: String| Err(Error::InvalidArgument(message));
        if !(1..=MAX_SLOTS).contains(&self.slots) {
            return wrong(format!("slots: must be from 1 to {MAX_SLOTS}, not {}", self.slots));
        }
        if self.handlers.is_empty() {
            return wrong("handlers: a worker needs at least one".into());
        }
        if let Some(name) = self.twice {
            return wrong(format!("handlers: two have the name {name:?}"));
        }
        check_address(&self.address)?;
        self.offer.slots = self.slots as i32;
        let namespace = &self.offer.namespace;
        if let Some(problem) = problem_of(&self.definitions, namespace) {
            return wrong(format!("definitions: {problem}"));
        }
        let definitions = self.definitions.into_iter().map(|it| apply_request(it, namespace)).collect();
        let (sender, inbox) = mpsc::unbounded_channel();
        Ok(Worker(Arc::new(Inner {
            address: self.address,
            signals: self.signals,
            stop_timeout: self.stop_timeout,
            sender,
            shared: Arc::default(),
            started: AtomicBool::new(false),
            ready: CancellationToken::new(),
            finished: CancellationToken::new(),
            parts: Mutex::new(Some(Parts {
                definitions,
                offer: self.offer,
                handlers: self.handlers,
                inbox,
                on_event: self.on_event,
            })),
        })))
    }

    fn add(mut self, name: String, min_version: i32, max_version: i32, handler: BoxHandler) -> Self {
        if self.handlers.insert(name.clone(), handler).is_some() {
            self.twice = Some(name);
            return self;
        }
        self.offer.handlers.push(v1::Handler { name, min_version, max_version });
        self
    }
}

/// Why these definitions can't be those of one worker.
fn problem_of(definitions: &[v1::JobDefinition], namespace: &str) -> Option<String> {
    let own = if namespace.is_empty() { DEFAULT_NAMESPACE } else { namespace };
    let mut names = HashSet::new();
    definitions.iter().find_map(|v1::JobDefinition { name, namespace, .. }| {
        if !names.insert(name) {
            return Some(format!("two have the name {name:?}"));
        }
        let is_other = !namespace.is_empty() && namespace != own;
        is_other.then(|| format!("{name:?} is of the namespace {namespace:?}, the worker's is {own:?}: leave it out"))
    })
}

/// Runs jobs. Handlers run on the program's runtime; the worker's session is kept alive on its own thread. Clones share
/// the worker.
///
/// ```no_run
/// use muster::worker::{Context, Worker};
///
/// #[derive(serde::Deserialize)]
/// struct Add { a: i64, b: i64 }
///
/// # async fn example() -> muster::Result<()> {
/// let worker = Worker::builder("127.0.0.1:7070", "calculator")
///     .handle("add", |_ctx: Context, input: Add| async move { Ok(input.a + input.b) })
///     .signals(true)
///     .build()?;
/// worker.run().await
/// # }
/// ```
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    address: String,
    signals: bool,
    stop_timeout: Duration,
    sender: mpsc::UnboundedSender<ToSession>,
    shared: Arc<Mutex<Shared>>,
    started: AtomicBool,
    /// Cancelled when the worker can receive jobs, or has ended.
    ready: CancellationToken,
    finished: CancellationToken,
    /// Taken when the worker runs.
    parts: Mutex<Option<Parts>>,
}

struct Parts {
    definitions: Vec<v1::ApplyJobDefinitionRequest>,
    offer: protocol::OpenSessionRequest,
    handlers: HashMap<String, BoxHandler>,
    inbox: mpsc::UnboundedReceiver<ToSession>,
    on_event: Option<OnEvent>,
}

impl Worker {
    /// Creates a builder.
    ///
    /// `address` is the control plane's gRPC port: `host:port` or a URL such as `http://muster:7070`, or several
    /// addresses separated by commas. `name` is the worker's name in lists; several workers may share it:
    /// `^[a-z0-9][a-z0-9._-]{0,62}$`.
    pub fn builder(address: impl Into<String>, name: impl Into<String>) -> WorkerBuilder {
        let sdk = v1::Sdk { name: crate::SDK_NAME.into(), version: crate::SDK_VERSION.into(), language: "rust".into() };
        WorkerBuilder {
            address: address.into(),
            definitions: Vec::new(),
            offer: protocol::OpenSessionRequest {
                worker_name: name.into(),
                protocol_version: PROTOCOL_VERSION,
                sdk: Some(sdk),
                ..Default::default()
            },
            slots: DEFAULT_SLOTS,
            handlers: HashMap::new(),
            twice: None,
            signals: false,
            stop_timeout: DEFAULT_STOP_TIMEOUT,
            on_event: None,
        }
    }

    /// Runs jobs until [`stop`](Self::stop), until the server drains the worker, or, with
    /// [`signals`](WorkerBuilder::signals), until SIGINT or SIGTERM. Dropping the future stops the worker at once; its
    /// jobs are given back.
    ///
    /// It first applies the [definitions](WorkerBuilder::definition), then opens a session, and repeats both without
    /// limit while the control plane can't be reached.
    ///
    /// # Errors
    /// [`Error::Call`]: the server refuses a definition, or permanently refuses the worker.
    /// [`Error::InvalidArgument`]: it runs already or has run before, or no thread can be created.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn run(&self) -> Result<()> {
        let parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let parts = parts.ok_or_else(|| Error::InvalidArgument("a worker can be run only once".into()))?;
        self.0.started.store(true, Ordering::Release);
        // Runs also when this future is dropped, or the thread can't be created.
        let _end = End(&self.0);
        let signals = if self.0.signals { Some(Signals::listen(self.clone())?) } else { None };
        let mut calls = Calls::open(&self.0.address)?;
        calls.namespace.clone_from(&parts.offer.namespace);
        let runtime = tokio::runtime::Handle::current();
        let sender = self.0.sender.clone();
        let thread = SessionThread {
            address: self.0.address.clone(),
            definitions: parts.definitions,
            offer: parts.offer,
            inbox: parts.inbox,
            host: HandlerHost::new(parts.handlers, runtime, calls, sender.clone()),
            sender,
            shared: self.0.shared.clone(),
            ready: self.0.ready.clone(),
            on_event: parts.on_event,
        };
        let no_thread = |error| Error::InvalidArgument(format!("the session's thread can't be made: {error}"));
        let ended = thread.spawn().map_err(no_thread)?.await;
        drop(signals);
        ended.unwrap_or_else(|_| Err(Error::InvalidArgument("the session's thread has panicked".into())))
    }

    /// Waits until the worker can receive jobs for the first time: its definitions are applied, and its session is
    /// open. Returns also when [`run`](Self::run) has ended.
    pub async fn ready(&self) {
        self.0.ready.cancelled().await;
    }

    /// Stops the worker: it accepts no more jobs, gives back those that have not started, and waits for running
    /// handlers. Handlers that still run after the [`stop_timeout`](WorkerBuilder::stop_timeout) are asked to stop, and
    /// their jobs are given back. Returns when the worker has ended; at once if it never ran.
    pub async fn stop(&self) {
        self.stop_within(self.0.stop_timeout).await;
    }

    /// [`stop`](Self::stop) with a given time to wait for handlers.
    pub async fn stop_within(&self, timeout: Duration) {
        if !self.0.started.load(Ordering::Acquire) {
            return;
        }
        // Without a session's thread the worker has ended already.
        if !timeout.is_zero() {
            let _ = self.0.sender.send(ToSession::Drain);
        }
        if tokio::time::timeout(timeout, self.0.finished.cancelled()).await.is_err() {
            let _ = self.0.sender.send(ToSession::Close);
        }
        self.0.finished.cancelled().await;
    }

    /// Changes the maximum number of concurrent handlers, from 1 to 10,000. Running handlers continue.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: `slots` is out of range.
    pub fn set_slots(&self, slots: usize) -> Result<()> {
        if !(1..=MAX_SLOTS).contains(&slots) {
            return Err(Error::InvalidArgument(format!("slots: must be from 1 to {MAX_SLOTS}, not {slots}")));
        }
        let _ = self.0.sender.send(ToSession::SetSlots(slots));
        Ok(())
    }

    /// The UUID of the current session. None while there is none.
    pub fn session_id(&self) -> Option<Uuid> {
        self.shared().session_id
    }

    /// The current counters.
    pub fn stats(&self) -> Stats {
        self.shared().stats
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.0.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Worker").field("address", &self.0.address).finish_non_exhaustive()
    }
}

/// Dropped when the worker has ended, or when nothing waits for it any more and it must end.
struct End<'a>(&'a Inner);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let _ = self.0.sender.send(ToSession::Close);
        self.0.finished.cancel();
        self.0.ready.cancel();
    }
}
