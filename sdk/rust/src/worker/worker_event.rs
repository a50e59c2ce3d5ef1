//! What happens to a worker's session.

/// What happened to the worker's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkerEvent {
    /// A session was opened.
    Opened,
    /// It heard the bus and has granted credits: it can be given jobs.
    Ready,
    /// The lease can't be proved any more: nothing is accepted until a heartbeat is answered.
    Fenced,
    /// A heartbeat was answered in time again.
    Recovered,
    /// The server has closed the session; a new one is being opened.
    Lost,
    /// Nothing more is taken; what runs is finished.
    Draining,
    /// The worker has ended.
    Closed,
}
