//! Makes log records, cut to the maximum size.

use std::time::SystemTime;

use serde_json::Value;

use super::core::limits::{MAX_LOG_FIELDS, MAX_LOG_LINE_BYTES};
use super::core::log_tail::LogLine;
use super::handler_error::cut;
use crate::v1::{LogLevel, LogRecord};

/// Size of number, time, level and framing of one record.
const FRAME_BYTES: usize = 64;

pub(crate) fn log_line(
    sequence: i64,
    time: SystemTime,
    level: LogLevel,
    text: &str,
    facts: impl IntoIterator<Item = (String, Value)>,
) -> LogLine {
    let message = cut(text.to_owned(), MAX_LOG_LINE_BYTES);
    let mut truncated = message.len() < text.len();
    let mut space = MAX_LOG_LINE_BYTES - message.len();
    let mut record =
        LogRecord { sequence, log_time: Some(time.into()), level: level.into(), message, ..Default::default() };
    for (key, value) in facts {
        let field = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let bytes = key.len() + field.len();
        if record.fields.len() >= MAX_LOG_FIELDS || bytes > space {
            truncated = true;
            continue;
        }
        space -= bytes;
        record.fields.insert(key, field);
    }
    record.truncated = truncated;
    LogLine { record, bytes: FRAME_BYTES + MAX_LOG_LINE_BYTES - space }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, facts: Vec<(String, Value)>) -> LogLine {
        log_line(1, SystemTime::now(), LogLevel::Info, text, facts)
    }

    #[test]
    fn fields_are_text_or_json() {
        let facts = vec![("name".into(), "Ada".into()), ("days".into(), 7.into())];
        let record = line("hello", facts).record;
        assert_eq!(record.fields["name"], "Ada");
        assert_eq!(record.fields["days"], "7");
        assert!(!record.truncated);
    }

    #[test]
    fn what_is_too_large_is_cut_and_marked() {
        let long = line(&"x".repeat(MAX_LOG_LINE_BYTES + 1), Vec::new()).record;
        assert_eq!(long.message.len(), MAX_LOG_LINE_BYTES);
        assert!(long.truncated);
        let many = (0..=MAX_LOG_FIELDS).map(|at| (format!("field{at}"), Value::Null)).collect();
        let many = line("", many).record;
        assert_eq!(many.fields.len(), MAX_LOG_FIELDS);
        assert!(many.truncated);
    }
}
