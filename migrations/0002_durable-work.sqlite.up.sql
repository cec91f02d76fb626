drop index "jobs_by_run";
drop index "jobs_ready";
create table "workers" (
  "id" text not null,
  "version" text not null,
  "engine" text not null,
  "kinds" text not null,
  "code_tools" text not null,
  "concurrency" integer not null,
  "active" integer not null,
  "started_at" integer not null,
  "heartbeat_at" integer not null,
  "draining_at" integer,
  constraint "workers_pkey" primary key ("id")
) strict;
create table "approvals" (
  "tenant_id" text not null,
  "id" text not null,
  "run_id" text not null,
  "step" integer not null,
  "kind" text not null,
  "subject" text not null,
  "arguments_hash" text not null,
  "arguments" text not null,
  "state" text not null,
  "role" text,
  "escalate_role" text,
  "escalate_at" integer,
  "escalated_at" integer,
  "quorum" integer not null,
  "exclude_requester" integer not null,
  "expires_at" integer,
  "default_outcome" text,
  "requested_by" text not null,
  "created_at" integer not null,
  "decided_at" integer,
  "decided_by" text,
  "reason" text,
  constraint "approvals_pkey" primary key ("tenant_id", "id"),
  constraint "approvals_tenant_id_run_id_step_key" unique ("tenant_id", "run_id", "step"),
  constraint "approvals_kind_check" check ("kind" in ('tool', 'node')),
  constraint "approvals_state_check" check ("state" in ('pending', 'approved', 'declined', 'expired', 'withdrawn')),
  constraint "approvals_role_check" check ("role" in ('USER', 'CREATOR', 'ADMIN')),
  constraint "approvals_escalate_role_check" check ("escalate_role" in ('USER', 'CREATOR', 'ADMIN')),
  constraint "approvals_default_outcome_check" check ("default_outcome" in ('approve', 'decline')),
  constraint "approvals_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
create table "approval_votes" (
  "tenant_id" text not null,
  "approval_id" text not null,
  "user_id" text not null,
  "actor" text not null,
  "outcome" text not null,
  "reason" text,
  "created_at" integer not null,
  constraint "approval_votes_pkey" primary key ("tenant_id", "approval_id", "user_id"),
  constraint "approval_votes_outcome_check" check ("outcome" in ('approve', 'decline')),
  constraint "approval_votes_tenant_id_approval_id_fkey" foreign key ("tenant_id", "approval_id") references "approvals" ("tenant_id", "id")
) strict;
create table "early_decisions" (
  "tenant_id" text not null,
  "run_id" text not null,
  "subject" text not null,
  "arguments_hash" text not null,
  "user_id" text not null,
  "actor" text not null,
  "outcome" text not null,
  "reason" text,
  "created_at" integer not null,
  "approval_id" text,
  constraint "early_decisions_pkey" primary key ("tenant_id", "run_id", "subject", "arguments_hash", "user_id"),
  constraint "early_decisions_outcome_check" check ("outcome" in ('approve', 'decline')),
  constraint "early_decisions_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
create table "approval_links" (
  "tenant_id" text not null,
  "hash" text not null,
  "approval_id" text not null,
  "user_id" text not null,
  "created_by" text not null,
  "created_at" integer not null,
  "expires_at" integer not null,
  "used_at" integer,
  constraint "approval_links_pkey" primary key ("tenant_id", "hash"),
  constraint "approval_links_hash_key" unique ("hash"),
  constraint "approval_links_tenant_id_approval_id_fkey" foreign key ("tenant_id", "approval_id") references "approvals" ("tenant_id", "id")
) strict;
create table "triggers" (
  "tenant_id" text not null,
  "id" text not null,
  "name" text not null,
  "kind" text not null,
  "target_kind" text not null,
  "target" text not null,
  "input" text not null,
  "state" text not null,
  "cron" text,
  "timezone" text,
  "missed" text,
  "event_name" text,
  "event_condition" text,
  "secret_version" integer not null default 1,
  "secret_rotated_at" integer,
  "next_at" integer,
  "last_at" integer,
  "last_run_id" text,
  "last_error" text,
  "owner_id" text not null,
  "permissions" text not null,
  "created_by" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "triggers_pkey" primary key ("tenant_id", "id"),
  constraint "triggers_tenant_id_name_key" unique ("tenant_id", "name"),
  constraint "triggers_kind_check" check ("kind" in ('schedule', 'webhook', 'event')),
  constraint "triggers_target_kind_check" check ("target_kind" in ('agent', 'workflow')),
  constraint "triggers_state_check" check ("state" in ('active', 'paused')),
  constraint "triggers_missed_check" check ("missed" in ('skip', 'last', 'all'))
) strict;
create table "trigger_ticks" (
  "tenant_id" text not null,
  "trigger_id" text not null,
  "tick" text not null,
  "state" text not null,
  "run_id" text,
  "error" text,
  "created_at" integer not null,
  constraint "trigger_ticks_pkey" primary key ("tenant_id", "trigger_id", "tick"),
  constraint "trigger_ticks_state_check" check ("state" in ('pending', 'started', 'failed')),
  constraint "trigger_ticks_tenant_id_trigger_id_fkey" foreign key ("tenant_id", "trigger_id") references "triggers" ("tenant_id", "id")
) strict;
create table "signals" (
  "tenant_id" text not null,
  "id" text not null,
  "name" text not null,
  "correlation" text not null,
  "data" text not null,
  "created_by" text not null,
  "created_at" integer not null,
  constraint "signals_pkey" primary key ("tenant_id", "id")
) strict;
create table "signal_waits" (
  "tenant_id" text not null,
  "run_id" text not null,
  "step" integer not null,
  "name" text not null,
  "correlation" text not null,
  "state" text not null,
  "signal_id" text,
  "created_at" integer not null,
  constraint "signal_waits_pkey" primary key ("tenant_id", "run_id", "step"),
  constraint "signal_waits_state_check" check ("state" in ('open', 'claimed', 'taken')),
  constraint "signal_waits_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
alter table "tenants" add column "max_concurrent_jobs" integer;
alter table "runs" add column "trigger_id" text;
alter table "runs" add column "replay_of" text;
alter table "runs" add column "replay_from" integer;
alter table "runs" add column "replay_changes" text;
alter table "runs" add column "redrive_of" text;
create table "steps__new" (
  "tenant_id" text not null,
  "run_id" text not null,
  "seq" integer not null,
  "kind" text not null,
  "name" text not null,
  "path" text,
  "state" text not null,
  "waiting_reason" text,
  "due_at" integer,
  "attempt" integer not null,
  "call_id" text,
  "parent_step" integer,
  "effect" text,
  "idempotency_key" text,
  "input" text,
  "input_hash" text,
  "output" text,
  "output_hash" text,
  "error_code" text,
  "error_message" text,
  "child_run_id" text,
  "started_at" integer not null,
  "finished_at" integer,
  constraint "steps_pkey" primary key ("tenant_id", "run_id", "seq"),
  constraint "steps_kind_check" check ("kind" in ('model', 'tool', 'agent', 'compaction', 'workflow', 'transform', 'switch', 'parallel', 'race', 'for_each', 'loop', 'wait', 'approval')),
  constraint "steps_state_check" check ("state" in ('intended', 'approved', 'waiting', 'done', 'failed', 'interrupted', 'skipped')),
  constraint "steps_waiting_reason_check" check ("waiting_reason" in ('approval', 'in_doubt', 'time', 'event')),
  constraint "steps_effect_check" check ("effect" in ('read', 'idempotent', 'once')),
  constraint "steps_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
insert into "steps__new" ("tenant_id", "run_id", "seq", "kind", "name", "path", "state", "waiting_reason", "due_at", "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", "input_hash", "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at") select "tenant_id", "run_id", "seq", "kind", "name", null, "state", "waiting_reason", null, "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", null, "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at" from "steps";
drop table "steps";
alter table "steps__new" rename to "steps";
create table "jobs__new" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null default 'agent',
  "run_id" text,
  "payload" text,
  "definition_id" text,
  "definition_cap" integer,
  "state" text not null,
  "priority" integer not null,
  "ready_rank" integer not null default 0,
  "not_before" integer not null,
  "attempt" integer not null,
  "max_attempts" integer not null default 20,
  "lease_owner" text,
  "lease_until" integer not null,
  "fence" integer not null,
  "ticketed_at" integer not null default 0,
  "dedup_key" text,
  "cancel_requested_at" integer,
  "progress" text,
  "error_code" text,
  "error_message" text,
  "traceparent" text,
  "created_at" integer not null,
  "updated_at" integer not null,
  "finished_at" integer,
  constraint "jobs_pkey" primary key ("tenant_id", "id"),
  constraint "jobs_state_check" check ("state" in ('queued', 'scheduled', 'leased', 'parked', 'unroutable', 'done', 'dead', 'cancelled'))
) strict;
insert into "jobs__new" ("tenant_id", "id", "kind", "run_id", "payload", "definition_id", "definition_cap", "state", "priority", "ready_rank", "not_before", "attempt", "max_attempts", "lease_owner", "lease_until", "fence", "ticketed_at", "dedup_key", "cancel_requested_at", "progress", "error_code", "error_message", "traceparent", "created_at", "updated_at", "finished_at") select "tenant_id", "id", 'agent', "run_id", null, null, null, "state", "priority", 0, "not_before", "attempt", 20, "lease_owner", "lease_until", "fence", 0, null, null, null, null, null, null, "created_at", "updated_at", null from "jobs";
drop table "jobs";
alter table "jobs__new" rename to "jobs";
create index "jobs_leased" on "jobs" ("lease_until") where state = 'leased';
alter table "usage_records" add column "replay" integer not null default 0;
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
