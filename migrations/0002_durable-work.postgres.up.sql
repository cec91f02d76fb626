drop index "jobs_by_run";
drop index "jobs_ready";
create table "workers" (
  "id" text collate "C" not null,
  "version" text collate "C" not null,
  "engine" text collate "C" not null,
  "kinds" text collate "C" not null,
  "code_tools" text collate "C" not null,
  "concurrency" bigint not null,
  "active" bigint not null,
  "started_at" bigint not null,
  "heartbeat_at" bigint not null,
  "draining_at" bigint,
  constraint "workers_pkey" primary key ("id")
);
create table "approvals" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "run_id" text collate "C" not null,
  "step" bigint not null,
  "kind" text collate "C" not null,
  "subject" text collate "C" not null,
  "arguments_hash" text collate "C" not null,
  "arguments" text collate "C" not null,
  "state" text collate "C" not null,
  "role" text collate "C",
  "escalate_role" text collate "C",
  "escalate_at" bigint,
  "escalated_at" bigint,
  "quorum" bigint not null,
  "exclude_requester" bigint not null,
  "expires_at" bigint,
  "default_outcome" text collate "C",
  "requested_by" text collate "C" not null,
  "created_at" bigint not null,
  "decided_at" bigint,
  "decided_by" text collate "C",
  "reason" text collate "C",
  constraint "approvals_pkey" primary key ("tenant_id", "id"),
  constraint "approvals_tenant_id_run_id_step_key" unique ("tenant_id", "run_id", "step"),
  constraint "approvals_kind_check" check ("kind" in ('tool', 'node')),
  constraint "approvals_state_check" check ("state" in ('pending', 'approved', 'declined', 'expired', 'withdrawn')),
  constraint "approvals_role_check" check ("role" in ('USER', 'CREATOR', 'ADMIN')),
  constraint "approvals_escalate_role_check" check ("escalate_role" in ('USER', 'CREATOR', 'ADMIN')),
  constraint "approvals_default_outcome_check" check ("default_outcome" in ('approve', 'decline'))
);
create table "approval_votes" (
  "tenant_id" text collate "C" not null,
  "approval_id" text collate "C" not null,
  "user_id" text collate "C" not null,
  "actor" text collate "C" not null,
  "outcome" text collate "C" not null,
  "reason" text collate "C",
  "created_at" bigint not null,
  constraint "approval_votes_pkey" primary key ("tenant_id", "approval_id", "user_id"),
  constraint "approval_votes_outcome_check" check ("outcome" in ('approve', 'decline'))
);
create table "early_decisions" (
  "tenant_id" text collate "C" not null,
  "run_id" text collate "C" not null,
  "subject" text collate "C" not null,
  "arguments_hash" text collate "C" not null,
  "user_id" text collate "C" not null,
  "actor" text collate "C" not null,
  "outcome" text collate "C" not null,
  "reason" text collate "C",
  "created_at" bigint not null,
  "approval_id" text collate "C",
  constraint "early_decisions_pkey" primary key ("tenant_id", "run_id", "subject", "arguments_hash", "user_id"),
  constraint "early_decisions_outcome_check" check ("outcome" in ('approve', 'decline'))
);
create table "approval_links" (
  "tenant_id" text collate "C" not null,
  "hash" text collate "C" not null,
  "approval_id" text collate "C" not null,
  "user_id" text collate "C" not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "expires_at" bigint not null,
  "used_at" bigint,
  constraint "approval_links_pkey" primary key ("tenant_id", "hash"),
  constraint "approval_links_hash_key" unique ("hash")
);
create table "triggers" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "name" text collate "C" not null,
  "kind" text collate "C" not null,
  "target_kind" text collate "C" not null,
  "target" text collate "C" not null,
  "input" text collate "C" not null,
  "state" text collate "C" not null,
  "cron" text collate "C",
  "timezone" text collate "C",
  "missed" text collate "C",
  "event_name" text collate "C",
  "event_condition" text collate "C",
  "secret_version" bigint not null default 1,
  "secret_rotated_at" bigint,
  "next_at" bigint,
  "last_at" bigint,
  "last_run_id" text collate "C",
  "last_error" text collate "C",
  "owner_id" text collate "C" not null,
  "permissions" text collate "C" not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "triggers_pkey" primary key ("tenant_id", "id"),
  constraint "triggers_tenant_id_name_key" unique ("tenant_id", "name"),
  constraint "triggers_kind_check" check ("kind" in ('schedule', 'webhook', 'event')),
  constraint "triggers_target_kind_check" check ("target_kind" in ('agent', 'workflow')),
  constraint "triggers_state_check" check ("state" in ('active', 'paused')),
  constraint "triggers_missed_check" check ("missed" in ('skip', 'last', 'all'))
);
create table "trigger_ticks" (
  "tenant_id" text collate "C" not null,
  "trigger_id" text collate "C" not null,
  "tick" text collate "C" not null,
  "state" text collate "C" not null,
  "run_id" text collate "C",
  "error" text collate "C",
  "created_at" bigint not null,
  constraint "trigger_ticks_pkey" primary key ("tenant_id", "trigger_id", "tick"),
  constraint "trigger_ticks_state_check" check ("state" in ('pending', 'started', 'failed'))
);
create table "signals" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "name" text collate "C" not null,
  "correlation" text collate "C" not null,
  "data" text collate "C" not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  constraint "signals_pkey" primary key ("tenant_id", "id")
);
create table "signal_waits" (
  "tenant_id" text collate "C" not null,
  "run_id" text collate "C" not null,
  "step" bigint not null,
  "name" text collate "C" not null,
  "correlation" text collate "C" not null,
  "state" text collate "C" not null,
  "signal_id" text collate "C",
  "created_at" bigint not null,
  constraint "signal_waits_pkey" primary key ("tenant_id", "run_id", "step"),
  constraint "signal_waits_state_check" check ("state" in ('open', 'claimed', 'taken'))
);
alter table "tenants" add column "max_concurrent_jobs" bigint;
alter table "runs" add column "trigger_id" text collate "C";
alter table "runs" add column "replay_of" text collate "C";
alter table "runs" add column "replay_from" bigint;
alter table "runs" add column "replay_changes" text collate "C";
alter table "runs" add column "redrive_of" text collate "C";
alter table "steps" drop constraint if exists "steps_kind_check";
alter table "steps" drop constraint if exists "steps_state_check";
alter table "steps" drop constraint if exists "steps_waiting_reason_check";
alter table "steps" add column "path" text collate "C";
alter table "steps" add column "due_at" bigint;
alter table "steps" add column "input_hash" text collate "C";
alter table "steps" add constraint "steps_kind_check" check ("kind" in ('model', 'tool', 'agent', 'compaction', 'workflow', 'transform', 'switch', 'parallel', 'race', 'for_each', 'loop', 'wait', 'approval'));
alter table "steps" add constraint "steps_state_check" check ("state" in ('intended', 'approved', 'waiting', 'done', 'failed', 'interrupted', 'skipped'));
alter table "steps" add constraint "steps_waiting_reason_check" check ("waiting_reason" in ('approval', 'in_doubt', 'time', 'event'));
alter table "jobs" drop constraint if exists "jobs_state_check";
alter table "jobs" add column "kind" text collate "C" not null default 'agent';
alter table "jobs" alter column "run_id" drop not null;
alter table "jobs" add column "payload" text collate "C";
alter table "jobs" add column "definition_id" text collate "C";
alter table "jobs" add column "definition_cap" bigint;
alter table "jobs" add column "ready_rank" bigint not null default 0;
alter table "jobs" add column "max_attempts" bigint not null default 20;
alter table "jobs" add column "ticketed_at" bigint not null default 0;
alter table "jobs" add column "dedup_key" text collate "C";
alter table "jobs" add column "cancel_requested_at" bigint;
alter table "jobs" add column "progress" text collate "C";
alter table "jobs" add column "error_code" text collate "C";
alter table "jobs" add column "error_message" text collate "C";
alter table "jobs" add column "traceparent" text collate "C";
alter table "jobs" add column "finished_at" bigint;
alter table "jobs" add constraint "jobs_state_check" check ("state" in ('queued', 'scheduled', 'leased', 'parked', 'unroutable', 'done', 'dead', 'cancelled'));
alter table "usage_records" add column "replay" bigint not null default 0;
create index "workers_by_heartbeat" on "workers" ("heartbeat_at");
create index "approvals_pending" on "approvals" ("tenant_id", "id") where state = 'pending';
create index "approvals_expiring" on "approvals" ("expires_at") where state = 'pending' and expires_at is not null;
create index "approvals_escalating" on "approvals" ("escalate_at") where state = 'pending' and escalate_at is not null and escalated_at is null;
create index "triggers_by_id" on "triggers" ("id");
create index "triggers_due" on "triggers" ("next_at") where state = 'active' and next_at is not null;
create index "triggers_by_event" on "triggers" ("tenant_id", "event_name") where state = 'active' and event_name is not null;
create index "trigger_ticks_pending" on "trigger_ticks" ("created_at") where state = 'pending';
create index "trigger_ticks_by_age" on "trigger_ticks" ("created_at");
create index "signals_by_name" on "signals" ("tenant_id", "name", "correlation", "id");
create index "signals_by_age" on "signals" ("created_at");
create index "signal_waits_open" on "signal_waits" ("tenant_id", "name", "correlation") where state = 'open';
create index "signal_waits_claimed" on "signal_waits" ("created_at") where state = 'claimed';
create index "runs_open_by_definition" on "runs" ("tenant_id", "definition_id", "definition_version") where state in ('queued', 'running', 'waiting');
create unique index "jobs_by_run" on "jobs" ("tenant_id", "run_id") where run_id is not null;
create index "jobs_ready" on "jobs" ("tenant_id", "ready_rank", "id") where state = 'queued';
create index "jobs_capped" on "jobs" ("tenant_id", "definition_id", "ready_rank", "id") where state = 'queued' and definition_cap is not null;
create index "jobs_ticketed" on "jobs" ("ticketed_at") where state = 'queued' and ticketed_at > 0;
create index "jobs_scheduled" on "jobs" ("not_before") where state = 'scheduled';
create index "jobs_held" on "jobs" ("tenant_id", "definition_id") where state = 'leased';
create unique index "jobs_by_dedup" on "jobs" ("tenant_id", "kind", "dedup_key") where dedup_key is not null and state in ('queued', 'scheduled', 'leased', 'parked', 'unroutable');
create index "jobs_set_aside" on "jobs" ("tenant_id", "state", "id") where state in ('unroutable', 'dead');
alter table "approvals" add constraint "approvals_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id");
alter table "approval_votes" add constraint "approval_votes_tenant_id_approval_id_fkey" foreign key ("tenant_id", "approval_id") references "approvals" ("tenant_id", "id");
alter table "early_decisions" add constraint "early_decisions_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id");
alter table "approval_links" add constraint "approval_links_tenant_id_approval_id_fkey" foreign key ("tenant_id", "approval_id") references "approvals" ("tenant_id", "id");
alter table "trigger_ticks" add constraint "trigger_ticks_tenant_id_trigger_id_fkey" foreign key ("tenant_id", "trigger_id") references "triggers" ("tenant_id", "id");
alter table "signal_waits" add constraint "signal_waits_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id");
