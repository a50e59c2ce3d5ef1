/** The plans of statements of schedules, triggers and roll-outs, see `pinned-plans.ts`. */

const [schedules, scheduleIds] = ['schedules by schedules_by_kind', 'schedules by schedules_pkey'];
const scheduleRuns = 'schedule_runs by schedule_runs_pkey';
const unsettledRuns = 'schedule_runs by schedule_runs_unsettled';
const triggerSources = 'trigger_sources by trigger_sources_pkey';
const [newCauses, causes] = ['trigger_causes by trigger_causes_new', 'trigger_causes by trigger_causes_pkey'];
const heldCauses = 'trigger_causes by trigger_causes_held';
const [runs, outcomes] = ['job_runs by job_runs_pkey', 'job_outcomes_day by job_outcomes_day_pkey'];
const jobsByLane = 'jobs_day by jobs_day_lane_id_job_id_idx';
const rollouts = 'rollouts by rollouts_pkey';

export const pinnedOfSchedules: Readonly<Record<string, readonly string[]>> = {
  read_schedule: [schedules],
  lock_schedule: [schedules],
  list_schedules: [schedules],
  insert_schedule: [],
  update_schedule: [scheduleIds],
  pause_schedule: [scheduleIds],
  resume_schedule: [scheduleIds],
  wake_schedule: [scheduleIds],
  delete_schedule: [schedules],
  delete_schedule_runs: [scheduleRuns],
  read_next_scan: ['schedules by the whole of schedules_due'], // it reads the first row
  list_schedule_runs: [scheduleRuns],
  read_schedule_run: [scheduleRuns],
  count_pending_schedule_runs: [unsettledRuns],
  insert_asked_schedule_runs: [],
  lock_due_schedules: ['schedules by schedules_due'],
  read_unsettled_schedule_runs: [outcomes, runs, unsettledRuns],
  write_schedule_runs: [],
  settle_ended_schedule_runs: [scheduleRuns],
  forget_old_schedule_runs: [scheduleRuns],
  write_schedules: [scheduleIds],
  settle_schedule_runs: [scheduleRuns, scheduleIds],
  read_rollout: [rollouts],
  lock_rollout: [rollouts],
  list_rollouts: [rollouts],
  insert_rollout: [],
  supersede_rollout: ['rollouts by rollouts_open'],
  find_due_rollouts: ['rollouts by the whole of rollouts_open'], // open ones only
  lock_due_rollout: ['rollouts by rollouts_open'],
  compare_versions: ['job_outcomes_day by job_outcomes_day_pkey', runs, jobsByLane, 'lanes by lanes_by_definition'],
  write_rollout: [rollouts],
  read_trigger_run_inputs: [scheduleRuns],
  cause_triggers: [scheduleIds, 'trigger_sources by trigger_sources_by_name'],
  cause_triggers_by_ends: [
    'job_outcomes_day by job_outcomes_day_pkey',
    'lanes by lanes_pkey',
    scheduleIds,
    'trigger_sources by trigger_sources_by_name',
  ],
  drop_trigger_sources: [triggerSources],
  insert_trigger_sources: [],
  find_caused_triggers: [newCauses, 'trigger_sources by trigger_sources_by_name'],
  lock_trigger: [scheduleIds],
  exists_trigger: [scheduleIds],
  mark_trigger_advanced: [scheduleIds],
  count_waiting_trigger_runs: [unsettledRuns],
  insert_trigger_runs: [],
  read_new_causes: ['jobs_day by jobs_day_pkey', newCauses, causes, triggerSources],
  read_causes: ['jobs_day by jobs_day_pkey', causes, triggerSources],
  read_held_causes: [heldCauses],
  drop_causes: [causes],
  drop_expired_causes_of_keys: [heldCauses],
  drop_all_causes: ['trigger_causes by trigger_causes_held', newCauses],
  hold_causes: [causes],
  trim_causes: [heldCauses, causes],
  trim_new_causes: [newCauses, causes],
  read_trigger_progress: [heldCauses],
};
