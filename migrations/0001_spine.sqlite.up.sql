create table "tenants" (
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
create table "users" (
  "id" text not null,
  "kind" text not null,
  "name" text not null,
  "email" text,
  "platform_role" text,
  "created_at" integer not null,
  constraint "users_pkey" primary key ("id"),
  constraint "users_kind_check" check ("kind" in ('human', 'service')),
  constraint "users_platform_role_check" check ("platform_role" in ('OPERATOR'))
) strict;
create table "memberships" (
  "tenant_id" text not null,
  "user_id" text not null,
  "role" text not null,
  "created_at" integer not null,
  constraint "memberships_pkey" primary key ("tenant_id", "user_id"),
  constraint "memberships_role_check" check ("role" in ('USER', 'CREATOR', 'ADMIN')),
  constraint "memberships_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id"),
  constraint "memberships_user_id_fkey" foreign key ("user_id") references "users" ("id")
) strict;
create table "api_keys" (
  "tenant_id" text not null,
  "id" text not null,
  "name" text not null,
  "hash" text not null,
  "prefix" text not null,
  "owner_id" text not null,
  "permissions" text not null,
  "created_at" integer not null,
  "expires_at" integer,
  "revoked_at" integer,
  "last_used_at" integer,
  constraint "api_keys_pkey" primary key ("tenant_id", "id"),
  constraint "api_keys_hash_key" unique ("hash"),
  constraint "api_keys_tenant_id_owner_id_fkey" foreign key ("tenant_id", "owner_id") references "memberships" ("tenant_id", "user_id")
) strict;
create table "definitions" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null,
  "name" text not null,
  "latest_version" integer not null,
  "published_version" integer,
  "created_at" integer not null,
  "updated_at" integer not null,
  "archived_at" integer,
  constraint "definitions_pkey" primary key ("tenant_id", "id"),
  constraint "definitions_kind_check" check ("kind" in ('agent', 'tool', 'workflow')),
  constraint "definitions_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id")
) strict;
create table "definition_versions" (
  "tenant_id" text not null,
  "definition_id" text not null,
  "version" integer not null,
  "status" text not null,
  "digest" text not null,
  "body" text not null,
  "created_at" integer not null,
  "created_by" text not null,
  constraint "definition_versions_pkey" primary key ("tenant_id", "definition_id", "version"),
  constraint "definition_versions_status_check" check ("status" in ('draft', 'published', 'archived')),
  constraint "definition_versions_tenant_id_definition_id_fkey" foreign key ("tenant_id", "definition_id") references "definitions" ("tenant_id", "id")
) strict;
create table "events" (
  "seq" integer primary key autoincrement,
  "tx_id" integer not null,
  "tenant_id" text not null,
  "type" text not null,
  "run_id" text,
  "run_seq" integer,
  "actor" text not null,
  "subject" text not null,
  "audit" integer not null,
  "data" text not null,
  "request_id" text,
  "occurred_at" integer not null
) strict;
create table "idempotency_keys" (
  "tenant_id" text not null,
  "scope" text not null,
  "key" text not null,
  "fingerprint" text not null,
  "status" integer not null,
  "resource_id" text not null,
  "created_at" integer not null,
  "expires_at" integer not null,
  constraint "idempotency_keys_pkey" primary key ("tenant_id", "scope", "key")
) strict;
create table "sessions" (
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
create table "session_turns" (
  "tenant_id" text not null,
  "session_id" text not null,
  "seq" integer not null,
  "run_id" text not null,
  "input" text not null,
  "output" text not null,
  "created_at" integer not null,
  constraint "session_turns_pkey" primary key ("tenant_id", "session_id", "seq"),
  constraint "session_turns_tenant_id_session_id_fkey" foreign key ("tenant_id", "session_id") references "sessions" ("tenant_id", "id")
) strict;
create table "runs" (
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
create table "steps" (
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
create table "run_messages" (
  "tenant_id" text not null,
  "run_id" text not null,
  "seq" integer not null,
  "step" integer,
  "content" text,
  "content_hash" text,
  constraint "run_messages_pkey" primary key ("tenant_id", "run_id", "seq"),
  constraint "run_messages_tenant_id_run_id_fkey" foreign key ("tenant_id", "run_id") references "runs" ("tenant_id", "id")
) strict;
create table "model_calls" (
  "tenant_id" text not null,
  "id" text not null,
  "run_id" text not null,
  "step" integer not null,
  "attempt" integer not null,
  "model" text not null,
  "response_model" text,
  "response_id" text,
  "status" text not null,
  "finish_reason" text,
  "failure_kind" text,
  "failure_message" text,
  "http_status" integer,
  "head_hash" text not null,
  "messages_until" integer not null,
  "response" text,
  "usage_state" text not null,
  "input_tokens" integer not null,
  "cached_input_tokens" integer not null,
  "cache_write_tokens" integer not null,
  "output_tokens" integer not null,
  "reasoning_tokens" integer not null,
  "cost_state" text not null,
  "cost_nanos" integer,
  "started_at" integer not null,
  "first_token_ms" integer,
  "total_ms" integer not null,
  "capture" text not null,
  constraint "model_calls_pkey" primary key ("tenant_id", "id"),
  constraint "model_calls_status_check" check ("status" in ('answered', 'failed', 'interrupted')),
  constraint "model_calls_usage_state_check" check ("usage_state" in ('known', 'missing', 'none')),
  constraint "model_calls_cost_state_check" check ("cost_state" in ('priced', 'unpriced', 'usage_missing')),
  constraint "model_calls_capture_check" check ("capture" in ('full', 'redacted', 'metadata'))
) strict;
create table "bodies" (
  "tenant_id" text not null,
  "hash" text not null,
  "bytes" integer not null,
  "content" text not null,
  "created_at" integer not null,
  constraint "bodies_pkey" primary key ("tenant_id", "hash")
) strict;
create table "jobs" (
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
create table "usage_records" (
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
create index "memberships_by_user" on "memberships" ("user_id");
create unique index "definitions_by_name" on "definitions" ("tenant_id", "kind", "name") where archived_at is null;
create index "definitions_by_kind" on "definitions" ("tenant_id", "kind", "id");
create unique index "events_by_run" on "events" ("tenant_id", "run_id", "run_seq") where run_id is not null;
create index "events_by_audit" on "events" ("tenant_id", "seq") where audit = 1;
create index "idempotency_keys_by_expiry" on "idempotency_keys" ("expires_at");
create index "runs_by_definition" on "runs" ("tenant_id", "definition_id", "id");
create index "runs_by_root" on "runs" ("tenant_id", "root_run_id") where parent_run_id is not null;
create index "model_calls_by_run" on "model_calls" ("tenant_id", "run_id", "step");
create unique index "jobs_by_run" on "jobs" ("tenant_id", "run_id");
create index "jobs_ready" on "jobs" ("priority", "not_before", "id") where state = 'queued';
create index "jobs_leased" on "jobs" ("lease_until") where state = 'leased';
create index "usage_records_by_run" on "usage_records" ("tenant_id", "run_id");
