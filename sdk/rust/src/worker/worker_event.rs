//! Events of a worker's session.

/// An event of the worker's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkerEvent {
    /// A session was opened.
    Opened,
    /// The session receives messages of the bus and has granted credits: it can receive jobs.
    Ready,
    /// The lease can't be proved any more: nothing is accepted until a heartbeat is answered.
    Fenced,
    /// A heartbeat was answered in time again.
    Recovered,
    /// The server has closed the session; a new one is being opened.
    Lost,
    /// The worker accepts no more jobs; running ones finish.
    Draining,
    /// The worker has ended.
    Closed,
}
