//! What all calls of a client share: connection, namespace, deadlines and repeats.

use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::transport_retry::{Budget, TransportRetry, with_retry};
use crate::error::{CallError, Result};
use crate::transport::{names_several, open_channel, request, within};

/// Default maximum duration of a call, repeats included.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(crate) struct Calls {
    pub address: String,
    pub channel: Channel,
    /// Empty: the default namespace.
    pub namespace: String,
    pub timeout: Duration,
    pub retry: TransportRetry,
}

impl Calls {
    pub fn open(address: &str) -> Result<Self> {
        Ok(Self {
            address: address.to_owned(),
            channel: open_channel(address)?,
            namespace: String::new(),
            timeout: DEFAULT_TIMEOUT,
            retry: TransportRetry::default(),
        })
    }

    /// Makes `call` with a copy of `message` and repeats it until it is answered, within the client's timeout.
    pub async fn make<M, T, Call, Answer>(&self, message: M, mut call: Call) -> Result<T>
    where
        M: Clone,
        Call: FnMut(Request<M>) -> Answer,
        Answer: Future<Output = std::result::Result<Response<T>, Status>>,
    {
        let budget = Budget { timeout: self.timeout, is_shared: names_several(&self.address) };
        let answer = with_retry(&self.retry, budget, |left| within(left, call(request(message.clone(), left))));
        Ok(answer.await?)
    }
}

/// A field that every reply must contain.
pub(crate) fn present<T>(value: Option<T>, what: &str) -> Result<T> {
    let missing = || CallError::new(tonic::Code::Internal, format!("the reply names no {what}"));
    Ok(value.ok_or_else(missing)?)
}
