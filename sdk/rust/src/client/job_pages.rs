//! Lists of jobs, page by page.

use std::collections::VecDeque;

use super::client::Client;
use super::job_filter::JobFilter;
use crate::error::Result;
use crate::v1;

/// A list of jobs whose pages are fetched as needed.
#[derive(Debug)]
pub struct JobPages {
    client: Client,
    /// None: the last page was fetched.
    next: Option<v1::ListJobsRequest>,
    fetched: VecDeque<v1::Job>,
}

impl JobPages {
    pub(super) fn new(client: Client, filter: JobFilter) -> Self {
        Self { client, next: Some(filter.into_request()), fetched: VecDeque::new() }
    }

    /// The next job. None: there are no more.
    ///
    /// # Errors
    /// [`Error::Call`](crate::Error::Call): INVALID_ARGUMENT if the filter is invalid. After an error, the next call
    /// requests the same page again.
    pub async fn next(&mut self) -> Result<Option<v1::Job>> {
        loop {
            if let Some(job) = self.fetched.pop_front() {
                return Ok(Some(job));
            }
            let Some(request) = &mut self.next else { return Ok(None) };
            let page = self.client.list_page(request.clone()).await?;
            self.fetched = page.jobs.into();
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                self.next = None;
            }
        }
    }
}
