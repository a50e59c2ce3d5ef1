//! The steps of a scripted handler.

use serde::Deserialize;
use serde_json::Value;

/// The input of the handler `script`.
#[derive(Debug, Deserialize)]
pub struct Script {
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    Return {
        #[serde(default)]
        value: Value,
    },
    ReturnBytes {
        size: usize,
    },
    ReturnContext,
    Fail {
        r#type: String,
        message: String,
        #[serde(default)]
        non_retryable: bool,
        retry_delay_ms: Option<u64>,
    },
    Raise {
        #[serde(default)]
        message: String,
    },
    Panic {
        #[serde(default)]
        message: String,
    },
    Progress {
        #[serde(default)]
        fraction: f64,
        done: Option<u64>,
        total: Option<u64>,
        #[serde(default)]
        unit: String,
        #[serde(default)]
        message: String,
    },
    Suspend {
        #[serde(default)]
        value: Value,
    },
    Checkpoint {
        #[serde(default)]
        value: Value,
    },
    Log {
        message: String,
    },
    Extend {
        ms: u64,
    },
    Sleep {
        ms: u64,
    },
    DeafSleep {
        ms: u64,
    },
    UntilStopped {
        then: Option<Vec<Step>>,
    },
    Child {
        definition: String,
        #[serde(default)]
        input: Value,
        key: Option<String>,
    },
    WaitChildren,
    ReturnChildren,
    Exit {
        code: i32,
    },
}
