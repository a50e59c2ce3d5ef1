//! What a session asks of its worker.

/// A request of the session to the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The server asks the worker to drain.
    Drain,
    /// The server has closed the session.
    Lost,
    /// The session is draining and holds no more attempts.
    Drained,
}
