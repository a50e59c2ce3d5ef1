//! Calls about definitions.

use super::calls::present;
use super::client::{Client, request_id};
use crate::error::Result;
use crate::v1;
use crate::v1::job_definition_service_client::JobDefinitionServiceClient;

impl Client {
    /// Stores a definition: a new version if it differs from the newest one. A definition without a body is a task for
    /// the handler of the same name. A definition without a namespace gets that of the client.
    ///
    /// ```no_run
    /// # async fn example(client: muster::Client) -> muster::Result<()> {
    /// use muster::v1::JobDefinition;
    ///
    /// client.apply_definition(JobDefinition { name: "add".into(), priority: 3, ..Default::default() }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): INVALID_ARGUMENT names the invalid fields.
    pub async fn apply_definition(&self, definition: v1::JobDefinition) -> Result<v1::ApplyJobDefinitionResponse> {
        self.apply(definition, false).await
    }

    /// Checks a definition and returns what storing it would change. Stores nothing.
    ///
    /// # Errors
    /// As [`apply_definition`](Self::apply_definition).
    pub async fn check_definition(&self, definition: v1::JobDefinition) -> Result<v1::ApplyJobDefinitionResponse> {
        self.apply(definition, true).await
    }

    /// Reads a version of a definition; 0 is the newest.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): NOT_FOUND.
    pub async fn get_definition(&self, name: &str, version: i32) -> Result<v1::JobDefinition> {
        let message =
            v1::GetJobDefinitionRequest { namespace: self.calls.namespace.clone(), name: name.into(), version };
        let definitions = JobDefinitionServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut definitions = definitions.clone();
            async move { definitions.get_job_definition(request).await }
        });
        present(answer.await?.definition, "definition")
    }

    async fn apply(
        &self,
        definition: v1::JobDefinition,
        validate_only: bool,
    ) -> Result<v1::ApplyJobDefinitionResponse> {
        let message =
            v1::ApplyJobDefinitionRequest { validate_only, ..apply_request(definition, &self.calls.namespace) };
        let definitions = JobDefinitionServiceClient::new(self.channel());
        let answer = self.calls.make(message, |request| {
            let mut definitions = definitions.clone();
            async move { definitions.apply_job_definition(request).await }
        });
        answer.await
    }
}

/// `namespace` is that of a definition without one.
pub(crate) fn apply_request(mut definition: v1::JobDefinition, namespace: &str) -> v1::ApplyJobDefinitionRequest {
    if definition.namespace.is_empty() {
        namespace.clone_into(&mut definition.namespace);
    }
    definition.body.get_or_insert_with(|| v1::job_definition::Body::Task(v1::TaskBody::default()));
    v1::ApplyJobDefinitionRequest { definition: Some(definition), request_id: request_id(), ..Default::default() }
}
