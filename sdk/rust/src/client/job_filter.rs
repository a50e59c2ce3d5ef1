//! Filters for lists of jobs.

use std::time::SystemTime;

use crate::v1;

/// Selects jobs. All conditions must hold; without conditions it selects every job of the namespace.
#[derive(Clone, Debug, Default)]
#[must_use = "a filter does nothing until jobs are listed by it"]
pub struct JobFilter(pub(super) v1::ListJobsRequest);

impl JobFilter {
    /// Every job.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only jobs in one of these states.
    pub fn states(self, states: impl IntoIterator<Item = v1::JobState>) -> Self {
        self.change(|request| request.states = states.into_iter().map(Into::into).collect())
    }

    /// Only jobs of this definition.
    pub fn definition(self, definition: impl Into<String>) -> Self {
        self.change(|request| request.definition = definition.into())
    }

    /// Only jobs of this queue.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.change(|request| request.queue = queue.into())
    }

    /// Only jobs that also have this label.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|request| {
            request.labels.insert(key.into(), value.into());
        })
    }

    /// Only jobs created at or after this time.
    pub fn min_create_time(self, time: SystemTime) -> Self {
        self.change(|request| request.min_create_time = Some(time.into()))
    }

    /// Only jobs created before this time.
    pub fn max_create_time(self, time: SystemTime) -> Self {
        self.change(|request| request.max_create_time = Some(time.into()))
    }

    /// Only jobs whose failure has one of these types. At most 64.
    pub fn failure_types(self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.change(|request| request.failure_types = types.into_iter().map(Into::into).collect())
    }

    /// Only children of this job, steps of this workflow or members of this batch.
    pub fn parent(self, job: impl AsRef<str>) -> Self {
        self.change(|request| request.parent_job_id = job.as_ref().into())
    }

    /// Jobs per page, at most 1,000. Default: 50.
    pub fn page_size(self, jobs: i32) -> Self {
        self.change(|request| request.page_size = jobs)
    }

    fn change(mut self, change: impl FnOnce(&mut v1::ListJobsRequest)) -> Self {
        change(&mut self.0);
        self
    }
}
