//! Tracks whether messages arrive over the session's subscription.

use super::Millis;
use super::limits::HEARING_TIME;

#[derive(Debug, Default)]
pub(crate) struct BusLink {
    echo: u64,
    /// When the subscription became active. None: it is not.
    connected_at: Option<Millis>,
    got_ping: bool,
}

/// The meaning of a change of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkChange {
    /// The subscription is active; no ping has been received over it yet.
    Connected,
    /// The connection broke; messages in transit may be lost.
    Broken,
    /// There was no connection, and there is none.
    Nothing,
}

impl BusLink {
    /// Highest ping received in this session. 0: none.
    pub fn echo(&self) -> u64 {
        self.echo
    }

    /// True if it is the first ping over the current connection.
    pub fn ping(&mut self, ping: u64) -> bool {
        if ping <= self.echo {
            return false;
        }
        self.echo = ping;
        !std::mem::replace(&mut self.got_ping, true)
    }

    /// Whether a connection that delivers nothing should be replaced. A new one has not had the time to deliver, and
    /// without a connection another one is being made: replacing these again and again would keep the session from ever
    /// receiving anything.
    pub fn has_had_its_time(&self, now: Millis) -> bool {
        self.connected_at.is_some_and(|at| now >= at + HEARING_TIME)
    }

    pub fn changed(&mut self, now: Millis, connected: bool) -> LinkChange {
        if connected {
            self.connected_at = Some(now);
            // A ping may arrive before the status that the subscription is active; its credits stay valid.
            return LinkChange::Connected;
        }
        let stood = self.connected_at.take().is_some();
        let got_ping = std::mem::take(&mut self.got_ping);
        if stood || got_ping { LinkChange::Broken } else { LinkChange::Nothing }
    }
}
