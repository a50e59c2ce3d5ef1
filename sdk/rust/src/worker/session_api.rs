//! Calls of a worker's session, each with a timeout.

use std::time::Duration;

use tonic::transport::Channel;

use super::core::Millis;
use crate::error::CallError;
use crate::transport::{MAX_MESSAGE_BYTES, request, within};
use crate::v1;
use crate::v1::job_definition_service_client::JobDefinitionServiceClient;
use crate::worker::v1 as protocol;
use crate::worker::v1::session_service_client::SessionServiceClient;

#[derive(Clone, Debug)]
pub(crate) struct SessionApi {
    definitions: JobDefinitionServiceClient<Channel>,
    sessions: SessionServiceClient<Channel>,
}

type Answer<T> = Result<T, CallError>;

impl SessionApi {
    pub fn new(channel: Channel) -> Self {
        Self {
            definitions: JobDefinitionServiceClient::new(channel.clone()),
            sessions: SessionServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES),
        }
    }

    pub async fn apply(mut self, message: v1::ApplyJobDefinitionRequest, timeout: Millis) -> Answer<()> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.definitions.apply_job_definition(request(message, timeout))).await.map(drop)
    }

    pub async fn open(
        mut self,
        message: protocol::OpenSessionRequest,
        timeout: Millis,
    ) -> Answer<protocol::OpenSessionResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.sessions.open_session(request(message, timeout))).await
    }

    pub async fn beat(
        mut self,
        message: protocol::SendHeartbeatRequest,
        timeout: Millis,
    ) -> Answer<protocol::SendHeartbeatResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.sessions.send_heartbeat(request(message, timeout))).await
    }

    pub async fn report(
        mut self,
        message: protocol::ReportAttemptsRequest,
        timeout: Millis,
    ) -> Answer<protocol::ReportAttemptsResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.sessions.report_attempts(request(message, timeout))).await
    }

    pub async fn close(
        mut self,
        message: protocol::CloseSessionRequest,
        timeout: Millis,
    ) -> Answer<protocol::CloseSessionResponse> {
        let timeout = Duration::from_millis(timeout);
        within(timeout, self.sessions.close_session(request(message, timeout))).await
    }
}
