//! Whether anything is heard over the session's subscription.

use super::Millis;
use super::limits::HEARING_TIME;

#[derive(Debug, Default)]
pub(crate) struct BusLink {
    echo: u64,
    /// When the subscription came into force. None: it is not.
    connected_at: Option<Millis>,
    heard: bool,
}

/// What a change of the connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkChange {
    /// The subscription is in force; nothing was heard over it yet.
    Connected,
    /// The connection broke: what was on its way may be lost.
    Broken,
    /// There was none, and there is none.
    Nothing,
}

impl BusLink {
    /// Highest ping heard in this session. 0: none.
    pub fn echo(&self) -> u64 {
        self.echo
    }

    /// True: it is the first ping over the present connection.
    pub fn ping(&mut self, ping: u64) -> bool {
        if ping <= self.echo {
            return false;
        }
        self.echo = ping;
        !std::mem::replace(&mut self.heard, true)
    }

    /// Whether a connection that brings nothing should make way for another one. One that is new has had no time to, and where
    /// there is none another one is on its way: giving up on these over and over would leave the session deaf for ever.
    pub fn has_had_its_time(&self, now: Millis) -> bool {
        self.connected_at.is_some_and(|at| now >= at + HEARING_TIME)
    }

    pub fn changed(&mut self, now: Millis, connected: bool) -> LinkChange {
        if connected {
            self.connected_at = Some(now);
            // A ping may have come before the word that the subscription is in force: what it granted stays good.
            return LinkChange::Connected;
        }
        let stood = self.connected_at.take().is_some();
        let heard = std::mem::take(&mut self.heard);
        if stood || heard { LinkChange::Broken } else { LinkChange::Nothing }
    }
}
