//! Reports of a running handler that the session has not read yet.

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::core::slot_table::Slot;
use super::session_thread::ToSession;
use super::word::{Outlet, Word, Words};

/// Notifies the session once that there are reports, however many follow.
pub(crate) struct Mailbox {
    slot: Slot,
    session: UnboundedSender<ToSession>,
    /// None: nothing was reported since the last time.
    words: Mutex<Option<Words>>,
}

impl Mailbox {
    pub fn new(slot: Slot, session: UnboundedSender<ToSession>) -> Self {
        Self { slot, session, words: Mutex::new(None) }
    }

    /// Everything that was reported since the last time.
    pub fn take(&self) -> Words {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.take().unwrap_or_default()
    }
}

impl Outlet for Mailbox {
    fn say(&self, word: Word) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.is_none() {
            // Without a session's thread the worker has ended, and there is no receiver.
            let _ = self.session.send(ToSession::Words(self.slot));
        }
        words.get_or_insert_default().add(word);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::v1::Progress;

    #[test]
    fn a_flood_of_words_is_one_note_with_the_newest() {
        let (sender, mut inbox) = mpsc::unbounded_channel();
        let mailbox = Mailbox::new(7, sender);
        for at in 1..=1_000 {
            mailbox.say(Word::Progress(Progress { fraction: f64::from(at), ..Default::default() }));
        }
        assert!(matches!(inbox.try_recv(), Ok(ToSession::Words(7))));
        assert!(inbox.try_recv().is_err());
        assert_eq!(mailbox.take().progress.unwrap().fraction, 1_000.0);
        assert!(mailbox.take().progress.is_none());
        mailbox.say(Word::Extension(1));
        assert!(inbox.try_recv().is_ok());
    }
}
