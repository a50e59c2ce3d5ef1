//! Filters for lists of jobs.

use std::time::SystemTime;

use crate::v1;

/// Selects jobs. All conditions must hold; without conditions it selects every job of the namespace.
#[derive(Clone, Debug, Default)]
#[must_use = "a filter does nothing until jobs are listed by it"]
pub struct JobFilter {
    filter: v1::JobFilter,
    page_size: i32,
}

impl JobFilter {
    /// Every job.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only jobs in one of these states.
    pub fn states(self, states: impl IntoIterator<Item = v1::JobState>) -> Self {
        self.change(|filter| filter.states = states.into_iter().map(Into::into).collect())
    }

    /// Only jobs of this definition.
    pub fn definition(self, definition: impl Into<String>) -> Self {
        self.change(|filter| filter.definition = definition.into())
    }

    /// Only jobs of this queue.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.change(|filter| filter.queue = queue.into())
    }

    /// Only jobs that also have this label.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.change(|filter| {
            filter.labels.insert(key.into(), value.into());
        })
    }

    /// Only jobs created at or after this time.
    pub fn min_create_time(self, time: SystemTime) -> Self {
        self.change(|filter| filter.min_create_time = Some(time.into()))
    }

    /// Only jobs created before this time.
    pub fn max_create_time(self, time: SystemTime) -> Self {
        self.change(|filter| filter.max_create_time = Some(time.into()))
    }

    /// Only jobs whose failure has one of these types. At most 64.
    pub fn failure_types(self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.change(|filter| filter.failure_types = types.into_iter().map(Into::into).collect())
    }

    /// Only children of this job, steps of this workflow or members of this batch.
    pub fn parent(self, job: impl AsRef<str>) -> Self {
        self.change(|filter| filter.parent_job_id = job.as_ref().into())
    }

    /// Jobs per page, at most 1,000. Default: 50.
    pub fn page_size(mut self, jobs: i32) -> Self {
        self.page_size = jobs;
        self
    }

    /// The request for the first page.
    pub(super) fn into_request(self) -> v1::ListJobsRequest {
        v1::ListJobsRequest { filter: Some(self.filter), page_size: self.page_size, ..Default::default() }
    }

    fn change(mut self, change: impl FnOnce(&mut v1::JobFilter)) -> Self {
        change(&mut self.filter);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_conditions_in_its_filter() {
        let filter = JobFilter::new().states([v1::JobState::Failed]).label("a", "b").parent("p").page_size(7);
        let request = filter.into_request();
        assert_eq!(request.page_size, 7);
        let filter = request.filter.unwrap();
        assert_eq!((filter.states, &*filter.labels["a"]), (vec![v1::JobState::Failed.into()], "b"));
        assert_eq!(filter.parent_job_id, "p");
    }
}
