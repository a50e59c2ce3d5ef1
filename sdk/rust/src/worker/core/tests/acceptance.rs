use crate::worker::core::acceptance::{AcceptanceFacts, Verdict, judge};
use crate::worker::v1::ReleaseReason;

/// Every combination of facts.
fn all() -> impl Iterator<Item = AcceptanceFacts> {
    (0..1 << 9).map(|bits: u32| {
        let bit = |at: u32| bits >> at & 1 == 1;
        AcceptanceFacts {
            held: bit(0),
            seen: bit(1),
            fenced: bit(2),
            full: bit(3),
            cancelled: bit(4),
            draining: bit(5),
            supported: bit(6),
            credit_unspent: bit(7),
            slot_free: bit(8),
        }
    })
}

#[test]
fn what_is_known_or_can_not_be_proved_is_ignored_and_nothing_else() {
    for facts in all() {
        let ignored = facts.held || facts.seen || facts.fenced || facts.full;
        assert_eq!(judge(facts) == Verdict::Ignore, ignored, "{facts:?}");
    }
}

#[test]
fn only_what_is_welcome_and_has_a_slot_is_accepted() {
    for facts in all().filter(|facts| judge(*facts) == Verdict::Accept) {
        assert!(facts.supported && facts.credit_unspent && facts.slot_free, "{facts:?}");
        assert!(!facts.draining && !facts.cancelled && !facts.held && !facts.fenced, "{facts:?}");
    }
}

#[test]
fn a_release_says_the_first_reason() {
    let good = AcceptanceFacts { supported: true, credit_unspent: true, slot_free: true, ..Default::default() };
    let cases = [
        (AcceptanceFacts { cancelled: true, draining: true, ..good }, ReleaseReason::Cancelled),
        (AcceptanceFacts { draining: true, supported: false, ..good }, ReleaseReason::Drain),
        (AcceptanceFacts { supported: false, credit_unspent: false, ..good }, ReleaseReason::Unsupported),
        (AcceptanceFacts { credit_unspent: false, slot_free: false, ..good }, ReleaseReason::DeadCredit),
        (AcceptanceFacts { slot_free: false, ..good }, ReleaseReason::NoSlot),
    ];
    assert_eq!(judge(good), Verdict::Accept);
    for (facts, reason) in cases {
        assert_eq!(judge(facts), Verdict::Release(reason), "{facts:?}");
    }
}
