drop index "runs_open_by_definition";
drop index "jobs_by_run";
drop index "jobs_ready";
drop index "jobs_capped";
drop index "jobs_ticketed";
drop index "jobs_scheduled";
drop index "jobs_held";
drop index "jobs_by_dedup";
drop index "jobs_set_aside";
drop table "signal_waits";
drop table "signals";
drop table "trigger_ticks";
drop table "triggers";
drop table "approval_links";
drop table "early_decisions";
drop table "approval_votes";
drop table "approvals";
drop table "workers";
create table "tenants__new" (
  "id" text not null,
  "name" text not null,
  "status" text not null,
  "capture_policy" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "tenants_pkey" primary key ("id"),
  constraint "tenants_status_check" check ("status" in ('active', 'suspended')),
  constraint "tenants_capture_policy_check" check ("capture_policy" in ('full', 'redacted', 'metadata'))
) strict;
insert into "tenants__new" ("id", "name", "status", "capture_policy", "created_at", "updated_at") select "id", "name", "status", "capture_policy", "created_at", "updated_at" from "tenants";
drop table "tenants";
alter table "tenants__new" rename to "tenants";
create table "runs__new" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null,
  "definition_id" text not null,
  "definition_name" text not null,
  "definition_version" integer not null,
  "digest" text not null,
  "state" text not null,
  "waiting_reason" text,
  "input" text not null,
  "output" text,
  "error_code" text,
  "error_message" text,
  "session_id" text,
  "parent_run_id" text,
  "parent_step" integer,
  "root_run_id" text not null,
  "depth" integer not null,
  "created_by" text not null,
  "permissions" text not null,
  "limits" text not null,
  "pins" text not null,
  "fence" integer not null,
  "event_count" integer not null,
  "step_count" integer not null,
  "message_count" integer not null,
  "tool_call_count" integer not null,
  "input_tokens" integer not null,
  "output_tokens" integer not null,
  "cost_nanos" integer not null,
  "unpriced_count" integer not null,
  "trace_id" text,
  "cancel_requested_at" integer,
  "created_at" integer not null,
  "started_at" integer,
  "active_since" integer,
  "finished_at" integer,
  constraint "runs_pkey" primary key ("tenant_id", "id"),
  constraint "runs_kind_check" check ("kind" in ('agent', 'workflow')),
  constraint "runs_state_check" check ("state" in ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
  constraint "runs_waiting_reason_check" check ("waiting_reason" in ('approval', 'time', 'event', 'in_doubt', 'budget')),
  constraint "runs_tenant_id_definition_id_definition_version_fkey" foreign key ("tenant_id", "definition_id", "definition_version") references "definition_versions" ("tenant_id", "definition_id", "version")
) strict;
insert into "runs__new" ("tenant_id", "id", "kind", "definition_id", "definition_name", "definition_version", "digest", "state", "waiting_reason", "input", "output", "error_code", "error_message", "session_id", "parent_run_id", "parent_step", "root_run_id", "depth", "created_by", "permissions", "limits", "pins", "fence", "event_count", "step_count", "message_count", "tool_call_count", "input_tokens", "output_tokens", "cost_nanos", "unpriced_count", "trace_id", "cancel_requested_at", "created_at", "started_at", "active_since", "finished_at") select "tenant_id", "id", "kind", "definition_id", "definition_name", "definition_version", "digest", "state", "waiting_reason", "input", "output", "error_code", "error_message", "session_id", "parent_run_id", "parent_step", "root_run_id", "depth", "created_by", "permissions", "limits", "pins", "fence", "event_count", "step_count", "message_count", "tool_call_count", "input_tokens", "output_tokens", "cost_nanos", "unpriced_count", "trace_id", "cancel_requested_at", "created_at", "started_at", "active_since", "finished_at" from "runs";
drop table "runs";
alter table "runs__new" rename to "runs";
create index "runs_by_definition" on "runs" ("tenant_id", "definition_id", "id");
create index "runs_by_root" on "runs" ("tenant_id", "root_run_id") where parent_run_id is not null;
create table "steps__new" (
  "tenant_id" text not null,
  "run_id" text not null,
  "seq" integer not null,
  "kind" text not null,
  "name" text not null,
  "state" text not null,
  "waiting_reason" text,
  "attempt" integer not null,
  "call_id" text,
  "parent_step" integer,
  "effect" text,
  "idempotency_key" text,
  "input" text,
  "output" text,
  "output_hash" text,
  "error_code" text,
  "error_message" text,
  "child_run_id" text,
  "started_at" integer not null,
  "finished_at" integer,
  constraint "steps_pkey" primary key ("tenant_id", "run_id", "seq"),
  constraint "steps_kind_check" check ("kind" in ('model', 'tool', 'agent', 'compaction')),
  constraint "steps_state_check" check ("state" in ('intended', 'approved', 'waiting', 'done', 'failed', 'interrupted')),
  constraint "steps_waiting_reason_check" check ("waiting_reason" in ('approval', 'in_doubt')),
  constraint "steps_effect_check" check ("effect" in ('read', 'idempotent', 'once')),
  constraint "steps_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
insert into "steps__new" ("tenant_id", "run_id", "seq", "kind", "name", "state", "waiting_reason", "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at") select "tenant_id", "run_id", "seq", "kind", "name", "state", "waiting_reason", "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at" from "steps";
drop table "steps";
alter table "steps__new" rename to "steps";
create table "jobs__new" (
  "tenant_id" text not null,
  "id" text not null,
  "run_id" text not null,
  "state" text not null,
  "priority" integer not null,
  "not_before" integer not null,
  "attempt" integer not null,
  "lease_owner" text,
  "lease_until" integer not null,
  "fence" integer not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "jobs_pkey" primary key ("tenant_id", "id"),
  constraint "jobs_state_check" check ("state" in ('queued', 'leased', 'parked', 'done'))
) strict;
insert into "jobs__new" ("tenant_id", "id", "run_id", "state", "priority", "not_before", "attempt", "lease_owner", "lease_until", "fence", "created_at", "updated_at") select "tenant_id", "id", coalesce("run_id", ''), "state", "priority", "not_before", "attempt", "lease_owner", "lease_until", "fence", "created_at", "updated_at" from "jobs";
drop table "jobs";
alter table "jobs__new" rename to "jobs";
create index "jobs_leased" on "jobs" ("lease_until") where state = 'leased';
create table "usage_records__new" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null,
  "run_id" text not null,
  "model_call_id" text not null,
  "agent_id" text not null,
  "model" text not null,
  "usage_state" text not null,
  "input_tokens" integer not null,
  "cached_input_tokens" integer not null,
  "cache_write_tokens" integer not null,
  "output_tokens" integer not null,
  "reasoning_tokens" integer not null,
  "raw_usage" text not null,
  "cost_state" text not null,
  "cost_nanos" integer,
  "price_id" text,
  "occurred_at" integer not null,
  constraint "usage_records_pkey" primary key ("tenant_id", "id"),
  constraint "usage_records_kind_check" check ("kind" in ('model_call')),
  constraint "usage_records_usage_state_check" check ("usage_state" in ('known', 'missing', 'none')),
  constraint "usage_records_cost_state_check" check ("cost_state" in ('priced', 'unpriced', 'usage_missing'))
) strict;
insert into "usage_records__new" ("tenant_id", "id", "kind", "run_id", "model_call_id", "agent_id", "model", "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "occurred_at") select "tenant_id", "id", "kind", "run_id", "model_call_id", "agent_id", "model", "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "occurred_at" from "usage_records";
drop table "usage_records";
alter table "usage_records__new" rename to "usage_records";
create index "usage_records_by_run" on "usage_records" ("tenant_id", "run_id");
create unique index "jobs_by_run" on "jobs" ("tenant_id", "run_id");
create index "jobs_ready" on "jobs" ("priority", "not_before", "id") where state = 'queued';
