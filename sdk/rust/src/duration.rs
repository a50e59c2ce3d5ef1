//! Conversion of durations to and from the protobuf type.

use std::time::Duration;

/// `span`, or `otherwise` if it is unset; a negative span is 0.
pub(crate) fn to_millis(span: Option<&prost_types::Duration>, otherwise: u64) -> u64 {
    match span {
        None => otherwise,
        Some(span) => from_proto(span).as_millis() as u64,
    }
}

/// A negative span is 0.
pub(crate) fn from_proto(span: &prost_types::Duration) -> Duration {
    Duration::try_from(*span).unwrap_or_default()
}

pub(crate) fn to_proto(millis: u64) -> prost_types::Duration {
    duration_to_proto(Duration::from_millis(millis))
}

/// A span that is too long for protobuf becomes the longest one.
pub(crate) fn duration_to_proto(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: span.subsec_nanos() as i32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_the_way_there_and_back() {
        for millis in [0, 1, 999, 1_000, 90_001] {
            assert_eq!(to_millis(Some(&to_proto(millis)), 7), millis);
        }
        assert_eq!(to_millis(None, 7), 7);
        assert_eq!(from_proto(&prost_types::Duration { seconds: -1, nanos: 0 }), Duration::ZERO);
        assert_eq!(duration_to_proto(Duration::MAX).seconds, i64::MAX);
    }
}
