/**
 * For each alert, series that must fire it and similar ones that must not. In promtool's notation, one value per
 * minute.
 */

export interface AlertCase {
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: Readonly<Record<string, string>>;
}

const q = 'muster_namespace="default",muster_queue="mails"';
const d = 'muster_namespace="default",muster_definition="mail"';
const ready = `muster_queue_jobs{${q},muster_queue_jobs_state="ready"}`;
const age = `muster_queue_oldest_ready_age_seconds{${q}}`;
const paused = `muster_queue_paused{${q}}`;
const limit = (what: string) =>
  `muster_limit_${what}{muster_namespace="default",muster_limit_of="queue",muster_limit_name="mails"}`;
const sessions = (condition: string) => `muster_worker_sessions{muster_session_condition="${condition}"}`;
const closed = (cause: string) => `muster_worker_session_closed_total{muster_session_cause="${cause}"}`;
const ended = (state: string, cause: string) =>
  `muster_job_ended_total{${d},muster_job_state="${state}",muster_failure_cause="${cause}"}`;
const calls = (code: string) => `rpc_server_call_duration_seconds_count{rpc_response_status_code="${code}"}`;
const refused = (reason: string) => `muster_assignment_refused_total{muster_release_reason="${reason}"}`;
const rows = (state: string) => `muster_database_table_rows{muster_table="job_runs",muster_row_state="${state}"}`;
const loop = (state: string) => `nodejs_eventloop_time_seconds_total{instance="a",nodejs_eventloop_state="${state}"}`;
const sent = 'muster_assignment_sent_total{muster_assignment_source="claim"}';
const build = 'muster_build_info{instance="a"}';

/** Long enough for every alert: 90 values. */
export const MINUTES = 90;

export const alertCases: Readonly<Record<string, AlertCase>> = {
  MusterAbsent: { fires: { 'up{job="muster"}': '0x90' }, quiet: { [build]: '1x90' } },
  MusterDatabaseDown: {
    fires: { 'muster_database_up{instance="a"}': '0x90', 'muster_database_up{instance="b"}': '1x90' },
    quiet: { 'muster_database_up{instance="a"}': '1x90' },
  },
  MusterBusDown: {
    fires: { 'muster_bus_up{instance="a"}': '0x90' },
    quiet: { 'muster_bus_up{instance="a"}': '1x90' },
  },
  MusterJobsWaitLong: {
    fires: { [age]: '0+60x90', [paused]: '0x90' },
    quiet: { [age]: '0+60x90', [paused]: '1x90' },
  },
  MusterBacklogGrows: { fires: { [ready]: '2000+100x90' }, quiet: { [ready]: '20000-100x90' } },
  MusterLimitDrifts: {
    fires: { [limit('in_use')]: '3x90', [limit('holders')]: '2x90' },
    quiet: { [limit('in_use')]: '3x90', [limit('holders')]: '3x90' },
  },
  MusterNoWorkers: {
    fires: { [ready]: '1x90', [sessions('connected')]: '0x90' },
    quiet: { [ready]: '1x90', [sessions('connected')]: '2x90' },
  },
  MusterDeafWorkers: { fires: { [sessions('deaf')]: '1x90' }, quiet: { [sessions('deaf')]: '0x90' } },
  MusterWorkersLost: { fires: { [closed('lapse')]: '0+1x90' }, quiet: { [closed('close')]: '0+1x90' } },
  MusterMassLapse: { fires: { [closed('mass_lapse')]: '0+1x90' }, quiet: { [closed('mass_lapse')]: '5x90' } },
  MusterJobsFail: {
    fires: { [ended('failed', 'application')]: '0+20x90', [ended('succeeded', 'none')]: '0+80x90' },
    quiet: { [ended('failed', 'application')]: '0+2x90', [ended('succeeded', 'none')]: '0+80x90' },
  },
  MusterPoisonJobs: {
    fires: { [ended('failed', 'poison')]: '0+1x90' },
    quiet: { [ended('failed', 'timeout')]: '0+1x90' },
  },
  MusterCallsFail: {
    fires: { [calls('UNAVAILABLE')]: '0+2x90', [calls('OK')]: '0+100x90' },
    quiet: { [calls('NOT_FOUND')]: '0+20x90', [calls('OK')]: '0+100x90' },
  },
  MusterAssignmentsRefused: {
    fires: { [refused('no_slot')]: '0+30x90', [sent]: '0+100x90' },
    quiet: { [refused('cancelled')]: '0+30x90', [sent]: '0+100x90' },
  },
  MusterOldSnapshot: {
    fires: { muster_database_oldest_snapshot_age_seconds: '0+60x90' },
    quiet: { muster_database_oldest_snapshot_age_seconds: '60x90' },
  },
  MusterDaysMissing: {
    fires: { muster_database_days_ahead: '3x90' },
    quiet: { muster_database_days_ahead: '4x90' },
  },
  MusterDeadRows: {
    fires: { [rows('dead')]: '300000x90', [rows('live')]: '1000x90' },
    quiet: { [rows('dead')]: '300000x90', [rows('live')]: '1000000x90' },
  },
  MusterEventLoopBusy: {
    fires: { [loop('active')]: '0+58x90', [loop('idle')]: '0+2x90', [build]: '1x90' },
    quiet: { [loop('active')]: '0+58x90', [loop('idle')]: '0+2x90' },
  },
};
