drop index "events_by_subject";
drop index "sessions_with_content";
drop index "runs_with_content";
drop index "steps_by_input_body";
drop index "steps_by_output_body";
drop index "run_messages_by_body";
drop index "model_calls_by_own_head";
drop index "signals_of_tenant_by_age";
drop index "usage_records_by_time";
drop index "usage_records_billed";
drop table "stripe_events";
drop table "billing_outbox";
drop table "billing_items";
drop table "invoice_lines";
drop table "invoices";
drop table "subscriptions";
drop table "billing_accounts";
drop table "plans";
drop table "budget_waits";
drop table "budget_holds";
drop table "budget_periods";
drop table "budgets";
drop table "rerate_changes";
drop table "rerates";
drop table "tenant_prices";
drop table "costs";
drop table "projects";
create table "sessions__new" (
  "tenant_id" text not null,
  "id" text not null,
  "agent_id" text not null,
  "active_run_id" text,
  "turn_count" integer not null,
  "summary" text,
  "summary_until" integer not null,
  "created_by" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "sessions_pkey" primary key ("tenant_id", "id")
) strict;
insert into "sessions__new" ("tenant_id", "id", "agent_id", "active_run_id", "turn_count", "summary", "summary_until", "created_by", "created_at", "updated_at") select "tenant_id", "id", "agent_id", "active_run_id", "turn_count", "summary", "summary_until", "created_by", "created_at", "updated_at" from "sessions";
drop table "sessions";
alter table "sessions__new" rename to "sessions";
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
  "trigger_id" text,
  "replay_of" text,
  "replay_from" integer,
  "replay_changes" text,
  "redrive_of" text,
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
insert into "runs__new" ("tenant_id", "id", "kind", "definition_id", "definition_name", "definition_version", "digest", "state", "waiting_reason", "input", "output", "error_code", "error_message", "session_id", "parent_run_id", "parent_step", "root_run_id", "depth", "created_by", "permissions", "limits", "pins", "fence", "event_count", "step_count", "message_count", "tool_call_count", "input_tokens", "output_tokens", "cost_nanos", "unpriced_count", "trace_id", "trigger_id", "replay_of", "replay_from", "replay_changes", "redrive_of", "cancel_requested_at", "created_at", "started_at", "active_since", "finished_at") select "tenant_id", "id", "kind", "definition_id", "definition_name", "definition_version", "digest", "state", "waiting_reason", "input", "output", "error_code", "error_message", "session_id", "parent_run_id", "parent_step", "root_run_id", "depth", "created_by", "permissions", "limits", "pins", "fence", "event_count", "step_count", "message_count", "tool_call_count", "input_tokens", "output_tokens", "cost_nanos", "unpriced_count", "trace_id", "trigger_id", "replay_of", "replay_from", "replay_changes", "redrive_of", "cancel_requested_at", "created_at", "started_at", "active_since", "finished_at" from "runs";
drop table "runs";
alter table "runs__new" rename to "runs";
create index "runs_by_definition" on "runs" ("tenant_id", "definition_id", "id");
create index "runs_by_root" on "runs" ("tenant_id", "root_run_id") where parent_run_id is not null;
create index "runs_open_by_definition" on "runs" ("tenant_id", "definition_id", "definition_version") where state in ('queued', 'running', 'waiting');
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
insert into "steps__new" ("tenant_id", "run_id", "seq", "kind", "name", "path", "state", "waiting_reason", "due_at", "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", "input_hash", "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at") select "tenant_id", "run_id", "seq", "kind", "name", "path", "state", "waiting_reason", "due_at", "attempt", "call_id", "parent_step", "effect", "idempotency_key", "input", "input_hash", "output", "output_hash", "error_code", "error_message", "child_run_id", "started_at", "finished_at" from "steps";
drop table "steps";
alter table "steps__new" rename to "steps";
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
  "replay" integer not null default 0,
  "occurred_at" integer not null,
  constraint "usage_records_pkey" primary key ("tenant_id", "id"),
  constraint "usage_records_kind_check" check ("kind" in ('model_call')),
  constraint "usage_records_usage_state_check" check ("usage_state" in ('known', 'missing', 'none')),
  constraint "usage_records_cost_state_check" check ("cost_state" in ('priced', 'unpriced', 'usage_missing'))
) strict;
insert into "usage_records__new" ("tenant_id", "id", "kind", "run_id", "model_call_id", "agent_id", "model", "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "replay", "occurred_at") select "tenant_id", "id", "kind", coalesce("run_id", ''), coalesce("model_call_id", ''), coalesce("agent_id", ''), coalesce("model", ''), "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "replay", "occurred_at" from "usage_records";
drop table "usage_records";
alter table "usage_records__new" rename to "usage_records";
create index "usage_records_by_run" on "usage_records" ("tenant_id", "run_id");
