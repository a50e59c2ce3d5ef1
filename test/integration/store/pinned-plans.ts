/** How the plan of each statement reaches its tables, whatever they hold. */
import { pinnedOfSchedules } from './pinned-schedules.ts';

const runs = 'job_runs by job_runs_pkey';
const ready = 'job_runs by job_runs_ready';
const held = 'job_runs by job_runs_held';
const due = 'job_runs by job_runs_due';
const jobs = 'jobs_day by jobs_day_pkey';
const retries = 'jobs_day by jobs_day_retry_of_idx';
const outcomes = 'job_outcomes_day by job_outcomes_day_pkey';
const unsuccessful = 'job_outcomes_day by job_outcomes_day_state_job_id_idx';
const byLane = 'jobs_day by jobs_day_lane_id_job_id_idx';
const byParent = 'jobs_day by jobs_day_parent_job_id_job_id_idx';
const laneKeys = 'lanes by lanes_by_definition';
const attempts = 'job_attempts by job_attempts_pkey';
const lateReports = 'late_reports by late_reports_pkey';
const softDeadlines = 'soft_deadlines by soft_deadlines_pkey';
const missedDeadlines = 'soft_deadlines by soft_deadlines_missed';
const openDeadlines = 'soft_deadlines by soft_deadlines_open';
const checkpoints = 'job_checkpoints by job_checkpoints_pkey';
const logs = 'attempt_logs by attempt_logs_pkey';
const lanes = 'lanes by lanes_pkey';
const queues = 'queues by queues_pkey';
const boundedQueues = 'queues by queues_with_bounds';
const laneQueues = 'lanes by lanes_by_queue';
const laneCounts = 'lane_counts by lane_counts_pkey';
const unfolded = 'lane_count_changes by Seq Scan'; // one second of changes, all of which are needed
const sessions = 'sessions by sessions_pkey';
const notClosed = 'sessions by sessions_not_closed';
const allNotClosed = 'sessions by the whole of sessions_not_closed'; // a few thousand at most
const definitions = 'job_definitions by job_definitions_pkey';
const archived = 'archived_definitions by archived_definitions_pkey';
const allLanes = 'lanes by the whole of lanes_by_definition'; // one row per lane
const budgets = 'retry_budgets by retry_budgets_pkey';
const breakers = 'circuit_breakers by circuit_breakers_pkey';
const openBreaker = 'circuit_breakers by circuit_breakers_not_closed';
const openBreakers = 'circuit_breakers by circuit_breakers_not_closed';
const breakerLanes = 'lanes by lanes_by_breaker';
const allBreakerLanes = 'lanes by the whole of lanes_by_breaker'; // one row per lane
const retentions = 'retentions by retentions_pkey';
const jobsByLane = 'jobs_day by jobs_day_lane_id_job_id_idx';
const [outbox, turn] = ['outbox by outbox_pkey', 'outbox_turns by outbox_turns_pkey'];
const rollouts = 'rollouts by rollouts_pkey';
const sources = 'trigger_sources by trigger_sources_by_name';
const oldest = 'outbox by the whole of outbox_pkey'; // it reads the first 256 rows
const marked = 'job_runs by job_runs_marked';
const heldByLimit = 'job_runs by job_runs_held_by_limit';
const fairnessKeys = 'fairness_keys by fairness_keys_pkey';
const definitionLimits = 'definition_limits by definition_limits_pkey';
// All rows: there are as many as users have named.
const [allLimits, allQueues] = ['definition_limits by Seq Scan', 'queues by Seq Scan'];
const buckets = 'rate_buckets by rate_buckets_pkey';
const [waits, reservedFor] = ['reservations by reservations_pkey', 'reservations by reservations_by_session'];
const compensations = 'step_compensations by step_compensations_pkey';
const [workflowRuns, workflowSteps] = ['workflow_runs by workflow_runs_pkey', 'workflow_steps by workflow_steps_pkey'];
const [batches, batchCounts] = ['batches by batches_pkey', 'batch_counts by batch_counts_pkey'];
// Of the rows of one recipient, a scan reads the first 10,000, 100 or one.
const [inbox, inboxByWorkflow] = ['job_inbox by job_inbox_pkey', 'job_inbox by job_inbox_by_workflow'];
const children = 'jobs_day by jobs_day_parent_job_id_step_item_idx';
const ofExpired = [
  logs,
  attempts,
  checkpoints,
  outcomes,
  jobs,
  workflowRuns,
  workflowSteps,
  'workflow_steps by workflow_steps_adopted',
  'workflow_steps by workflow_steps_cached',
  compensations,
  batches,
  'batches by batches_filling',
  batchCounts,
  runs,
];
const sliceOf = (table: string) => `${table} by Tid Range Scan`;

const edges = 'job_dependencies by job_dependencies_pkey';
const edgesByTarget = 'job_dependencies by job_dependencies_by_target';
const edgesByWorkflow = 'job_dependencies by job_dependencies_by_workflow';
const assets = 'assets by assets_pkey';

export const pinned: Record<string, readonly string[]> = {
  ...pinnedOfSchedules,
  lock_dependency_targets: [runs],
  read_dependency_targets: [outcomes, runs, jobs, lanes],
  read_dependency_steps: [workflowSteps],
  lock_assets: [assets],
  insert_dependencies: [runs],
  keep_starts_of_blocked: [runs],
  read_last_dependency: [edges],
  read_dependencies: [edges],
  delete_dependencies: [edges],
  take_dependency_inbox: [edgesByTarget, edgesByWorkflow, inbox, workflowSteps],
  adopt_children: [runs, lanes],
  read_depth_of_job: [runs],
  lock_children: [runs],
  read_attached_children: ['job_runs by job_runs_children'],
  lock_dependents: [runs, lanes],
  take_dependencies: [edges],
  lower_unmet_dependencies: [runs],
  add_traced_targets: [jobs],
  add_traced_publishers: [assets, jobs],
  drop_dependency_inbox: [edgesByTarget, edgesByWorkflow, inbox, 'job_runs by job_runs_children', workflowSteps],
  read_dependency_jobs: [runs],
  read_waiting_children: ['job_runs by job_runs_children'],
  read_workflow_stages: [workflowRuns],
  read_ancestors: [runs, jobs],
  list_assets: ['assets by assets_namespace_name_key'],
  read_definition: [archived, definitions, rollouts],
  list_definitions: [archived, definitions],
  archive_definition: [definitions],
  restore_definition: [archived],
  list_offers: [notClosed],
  read_open_versions: [runs, ready, 'jobs_day by jobs_day_lane_id_job_id_idx', 'lanes by lanes_by_definition'],
  insert_jobs: [lanes, sessions],
  insert_idempotency_keys: [],
  take_over_idempotency_keys: ['idempotency_keys by idempotency_keys_pkey'],
  read_idempotency_keys: ['idempotency_keys by idempotency_keys_pkey'],
  read_request_ids: ['request_ids by request_ids_pkey'],
  claim_jobs: [checkpoints, runs, ready, jobs, lanes, sessions],
  lock_sessions_for_demands: [sessions],
  read_taken_resources: [held, lanes],
  read_reservations: [reservedFor, waits, sessions],
  renew_reservations: [ready, lanes, 'reservations by Seq Scan', waits],
  request_reservation: [ready, lanes],
  drop_reservation: [waits],
  gate_lanes: [lanes],
  lock_sessions_for_suspects: [sessions],
  find_sessions_without_suspect: [held],
  complete_attempts: [runs, sessions, sources],
  read_unchecked: [runs],
  delete_checkpoints: [checkpoints],
  lock_attempts: [runs, jobs, sessions],
  lock_jobs: [runs, jobs, lanes],
  lock_session_runs: [held, jobs],
  lock_due_runs: [due, jobs],
  update_runs: [runs],
  update_records: [runs, jobs],
  lock_record: [jobs, lanes],
  read_end: [outcomes, runs],
  count_first_attempts: [lanes],
  make_budget_minute: [],
  lock_budget_minute: [budgets],
  read_budget_minutes: [budgets],
  spend_retry_budget: [],
  make_breakers: [],
  lock_breakers: [breakers],
  update_breakers: [breakers],
  read_breaker_lanes: [breakerLanes],
  list_breakers: [breakers],
  read_open_breakers: [openBreakers, attempts, outcomes, runs, jobs],
  read_lanes_to_probe: [ready, breakerLanes],
  lock_breaker_to_probe: [openBreaker],
  read_misgated_lanes: [openBreaker, allBreakerLanes],
  erase_job: [
    logs,
    batches,
    'idempotency_keys by idempotency_keys_pkey',
    attempts,
    checkpoints,
    outcomes,
    jobs,
    'step_cache by step_cache_by_job',
    compensations,
    'submission_keys by submission_keys_by_job',
    workflowRuns,
    workflowSteps,
  ],
  read_ended_jobs: [outcomes, jobs, retries, lanes],
  end_runs: [checkpoints, runs, sources],
  insert_attempts: [],
  insert_late_reports: [],
  read_late_reports: [lateReports],
  observe_attempts: [runs],
  save_progress: [runs, sessions],
  lock_logging_runs: [runs, sessions],
  read_newest_logs: [logs],
  append_logs: [],
  // Reads the few chunks of one attempt.
  trim_logs: ['a join that compares (t.first_sequence = ANY (ARRAY[o.first_sequence]))', logs],
  read_logs: [logs],
  read_held_runs: [held, 'job_runs by job_runs_suspended'],
  read_assigned_runs: [checkpoints, runs, jobs],
  read_closed_attempts: [attempts, outcomes],
  close_passed_deadlines: [outcomes, runs, jobs, lanes, openDeadlines, softDeadlines],
  read_deadline_misses: [softDeadlines],
  read_jobs: [outcomes, runs, jobs, lanes, sessions],
  read_last_workers: [attempts, outcomes, runs, jobs, lanes, sessions],
  read_gate_reasons: [openBreaker, lanes, queues],
  read_attempts: [attempts, sessions],
  find_jobs: [jobs],
  list_jobs_by_state: [outcomes, unsuccessful, runs, jobs, lanes],
  list_jobs_by_lane: [outcomes, runs, byLane, jobs, lanes],
  list_jobs_by_parent: [outcomes, runs, byParent, jobs, lanes],
  list_jobs_by_deadline: [outcomes, runs, jobs, lanes, missedDeadlines],
  list_jobs_of_all: [outcomes, runs, jobs, lanes],
  find_lanes: [laneKeys],
  read_page_token_key: ['deployment_keys by deployment_keys_pkey'],
  find_ended_jobs: [outcomes],
  read_revisions: [outcomes, runs],
  read_lane_heads: [ready, lanes],
  read_heads_of_lanes: [ready],
  insert_lane: [openBreaker, definitionLimits, queues],
  read_queue: [queues],
  list_queues: [queues],
  find_deleted_queues: [jobsByLane, laneQueues, queues],
  revive_queues: [queues],
  read_queue_counts: [unfolded, laneCounts, laneQueues, lanes],
  read_queue_lanes: [laneQueues],
  lock_queue: [queues],
  pause_queue: [queues],
  resume_queue: [queues],
  change_queue: [queues],
  read_bounded_queues: [boundedQueues],
  read_backlog: [ready, jobs, unfolded, laneCounts, laneQueues],
  delete_queue: [laneQueues, queues],
  lock_limits: [definitionLimits, queues],
  read_limit_vitals: [allLimits, held, unfolded, laneCounts, lanes, allQueues],
  read_limit_use: [definitionLimits, unfolded, laneCounts, laneKeys, laneQueues, queues, buckets],
  lock_limited_lane: [lanes, sessions],
  lock_limited_candidates: [heldByLimit, ready, buckets],
  read_use_of_keys: [definitionLimits, heldByLimit, buckets],
  claim_limited: [checkpoints, runs, jobs],
  defer_at_limit: [runs],
  take_rate_units: [runs],
  read_limited_keys: [definitionLimits, heldByLimit, marked, lanes, buckets],
  reopen_deferred_jobs: [marked, runs, laneKeys, lanes],
  read_deferred_keys: [marked],
  read_fair_lanes: [ready, jobs, laneQueues, lanes, queues],
  read_first_of_fair_lanes: [ready, jobs, lanes],
  lock_fairness_keys: [],
  read_fairness_keys: [fairnessKeys, runs],
  write_fairness_keys: [],
  set_definition_limits: [],
  unset_definition_limits: [definitionLimits],
  read_definition_limits: [definitionLimits],
  lock_definition_versions: [definitions],
  read_definition_lanes: [laneKeys],
  lock_lanes_to_limit: [lanes],
  align_limited_lanes: [definitionLimits, lanes, queues],
  lock_definition_of_lane: [definitions],
  read_workflow: [workflowRuns, workflowSteps],
  read_step_states: [workflowSteps],
  has_waiting_children: ['job_runs by job_runs_children', workflowRuns],
  list_workflow_steps: [outcomes, children, jobs, compensations, workflowSteps],
  insert_audit_records: [],
  read_lanes_of_jobs: [jobs],
  read_needed_jobs: [children, jobs, workflowSteps],
  read_asked_skips: [workflowSteps],
  list_audit_records: ['audit_records by audit_records_by_namespace'],
  list_audit_records_of_job: ['audit_records by audit_records_by_job'],
  write_step_compensations: [],
  read_step_compensations: [compensations],
  read_compensations_of: [compensations],
  read_next_compensation: ['step_compensations by step_compensations_waiting'],
  lock_ready_workflows: [ready, jobs, lanes],
  lock_workflows: [runs],
  read_workflows: [runs, jobs, workflowRuns],
  take_workflow_inbox: [inboxByWorkflow, inbox, runs],
  insert_inbox: [],
  drop_workflow_inbox: [inbox],
  find_child_pauses: ['job_inbox by the whole of job_inbox_pauses', runs, lanes], // nearly empty
  find_abandoned_inbox: [inboxByWorkflow, inbox, runs, jobs, lanes],
  write_workflow_runs: [],
  write_workflow_steps: [],
  read_workflow_steps: [workflowSteps],
  read_past_steps: [outcomes, workflowSteps],
  read_child_outcomes: [outcomes],
  find_cached_result: [outcomes, jobs, 'step_cache by step_cache_pkey'],
  keep_cached_results: [],
  read_item_results: [outcomes, children],
  read_open_children: ['job_runs by job_runs_children'],
  read_children: ['job_runs by job_runs_children'],
  insert_batch: [],
  read_batch: [batchCounts, batches],
  seal_batch: [batches],
  stop_batch: [batches],
  lock_batch: [batches],
  lock_retried_batch: [batches],
  find_retry_of_batch: ['batches by batches_by_retry'],
  insert_batch_retry: [batches],
  read_filling_batch: [batches, jobs, lanes],
  read_failed_members: [outcomes, children],
  lock_filling_batch: [batches],
  write_batch_retry: [batches],
  delay_batch_retry: [batches],
  end_batch_retry: [batches],
  find_filling_batches: ['batches by the whole of batches_filling'], // few are being filled
  read_batch_job: [runs, jobs, lanes],
  add_batch_members: [batches],
  write_batch_counts: [batchCounts],
  write_batch_callbacks: [batches],
  lock_signal_keys: [],
  read_signal_key_sources: [jobs],
  insert_signal_waits: [],
  delete_signal_waits: ['signal_waits by signal_waits_by_job'],
  read_signal_waits_page: [runs, 'signal_waits by signal_waits_by_key'],
  read_signal_waits: ['signal_waits by signal_waits_by_job'],
  take_kept_signals: ['sent_signals by sent_signals_kept', 'sent_signals by sent_signals_pkey'],
  read_signal_key: [
    'sent_signals by sent_signals_delivering',
    'sent_signals by sent_signals_kept',
    'signal_waits by signal_waits_by_key',
  ],
  insert_signal: [],
  lock_signal_delivery: ['sent_signals by sent_signals_pkey'],
  advance_signal_delivery: ['sent_signals by sent_signals_pkey'],
  redirect_signal: ['sent_signals by sent_signals_pkey'],
  drop_signal: ['sent_signals by sent_signals_pkey'],
  find_signal_deliveries: ['sent_signals by the whole of sent_signals_delivering'], // few are being delivered
  take_outbox_rows: [oldest, turn],
  finish_outbox_rows: [outbox, turn],
  drop_old_outbox_rows: [outbox, oldest],
  fold_lane_counts: [unfolded, 'lane_count_changes by Tid Scan'],
  read_next_due: ['job_runs by the whole of job_runs_due'], // it reads the first row
  read_lanes: [lanes],
  renew_sessions: [sessions],
  read_sessions: [sessions],
  close_sessions: [sessions],
  end_sessions: [held, sessions],
  read_lapsed_sessions: [allNotClosed],
  read_closing_sessions: [allNotClosed],
  list_sessions: [held, notClosed],
  read_worker: [held, sessions],
  read_held_jobs: [held, lanes],
  drain_session: [sessions],
  read_retention_bounds: [allLanes, retentions],
  read_short_lanes: [lanes, retentions],
  expire_lane_jobs: [...ofExpired, jobsByLane].sort(),
  expire_default_jobs: [...ofExpired, lanes, retentions].sort(),
  clear_request_ids: [sliceOf('request_ids')],
  clear_idempotency_keys: [sliceOf('idempotency_keys'), runs],
  clear_job_checkpoints: [sliceOf('job_checkpoints'), runs],
  clear_fairness_keys: [sliceOf('fairness_keys'), runs],
  clear_rate_buckets: [sliceOf('rate_buckets')],
  clear_retry_budgets: [sliceOf('retry_budgets')],
  clear_sessions: [held, sliceOf('sessions')],
  clear_job_attempts: [sliceOf('job_attempts'), jobs],
  clear_attempt_logs: [sliceOf('attempt_logs'), jobs],
  clear_late_reports: [jobs, sliceOf('late_reports')],
  clear_soft_deadlines: [jobs, sliceOf('soft_deadlines')],
  clear_workflow_runs: [jobs, sliceOf('workflow_runs')],
  clear_workflow_steps: [jobs, sliceOf('workflow_steps')],
  clear_step_compensations: [jobs, sliceOf('step_compensations')],
  clear_step_cache: [jobs, sliceOf('step_cache')],
  clear_batches: [sliceOf('batches'), jobs],
  clear_batch_counts: [sliceOf('batch_counts'), jobs],
  clear_signal_waits: [runs, sliceOf('signal_waits')],
  clear_sent_signals: [sliceOf('sent_signals')],
  clear_audit_records: [sliceOf('audit_records')],
  clear_job_outcomes_default: [sliceOf('job_outcomes_day'), jobs],
};
