//! Calls of SessionService, each with a timeout.

use std::time::Duration;

use tonic::transport::Channel;

use super::core::Millis;
use crate::error::CallError;
use crate::transport::{MAX_MESSAGE_BYTES, request, within};
use crate::v1;
use crate::v1::session_service_client::SessionServiceClient;

#[derive(Clone, Debug)]
pub(crate) struct SessionApi(SessionServiceClient<Channel>);

type Answer<T> = Result<T, CallError>;

impl SessionApi {
    pub fn new(channel: Channel) -> Self {
        Self(SessionServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES))
    }

    pub async fn open(mut self, message: v1::OpenSessionRequest, timeout: Millis) -> Answer<v1::OpenSessionResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.0.open_session(request(message, timeout))).await
    }

    pub async fn beat(mut self, message: v1::HeartbeatRequest, timeout: Millis) -> Answer<v1::HeartbeatResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.0.heartbeat(request(message, timeout))).await
    }

    pub async fn report(
        mut self,
        message: v1::ReportAttemptsRequest,
        timeout: Millis,
    ) -> Answer<v1::ReportAttemptsResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.0.report_attempts(request(message, timeout))).await
    }

    pub async fn close(
        mut self,
        message: v1::CloseSessionRequest,
        timeout: Millis,
    ) -> Answer<v1::CloseSessionResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.0.close_session(request(message, timeout))).await
    }
}
