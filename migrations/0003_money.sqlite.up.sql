create table "projects" (
  "tenant_id" text not null,
  "id" text not null,
  "name" text not null,
  "state" text not null,
  "created_by" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "projects_pkey" primary key ("tenant_id", "id"),
  constraint "projects_tenant_id_name_key" unique ("tenant_id", "name"),
  constraint "projects_state_check" check ("state" in ('active', 'archived')),
  constraint "projects_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id")
) strict;
create table "costs" (
  "tenant_id" text not null,
  "id" text not null,
  "type" text not null,
  "run_id" text,
  "agent_id" text,
  "workflow_id" text,
  "user_id" text,
  "api_key_id" text,
  "project_id" text,
  "amount_nanos" integer not null,
  "quantity" integer,
  "unit" text,
  "description" text not null,
  "fact_key" text not null,
  "replay" integer not null,
  "created_by" text not null,
  "occurred_at" integer not null,
  "accepted_at" integer not null,
  constraint "costs_pkey" primary key ("tenant_id", "id"),
  constraint "costs_tenant_id_fact_key_key" unique ("tenant_id", "fact_key"),
  constraint "costs_type_check" check ("type" in ('LLM_API', 'TOOL_USAGE', 'COMPUTE', 'STORAGE', 'BANDWIDTH'))
) strict;
create table "tenant_prices" (
  "tenant_id" text not null,
  "id" text not null,
  "subject" text not null,
  "effective_from" integer not null,
  "effective_until" integer,
  "amounts" text not null,
  "note" text not null,
  "created_by" text not null,
  "created_at" integer not null,
  "withdrawn_at" integer,
  constraint "tenant_prices_pkey" primary key ("tenant_id", "id")
) strict;
create table "rerates" (
  "tenant_id" text not null,
  "id" text not null,
  "from_at" integer not null,
  "until_at" integer not null,
  "model" text,
  "reason" text not null,
  "records" integer not null,
  "changed" integer not null,
  "before_nanos" integer not null,
  "after_nanos" integer not null,
  "created_by" text not null,
  "created_at" integer not null,
  constraint "rerates_pkey" primary key ("tenant_id", "id")
) strict;
create table "rerate_changes" (
  "tenant_id" text not null,
  "rerate_id" text not null,
  "usage_id" text not null,
  "before_state" text not null,
  "before_nanos" integer,
  "before_price_id" text,
  "after_state" text not null,
  "after_nanos" integer,
  "after_price_id" text,
  constraint "rerate_changes_pkey" primary key ("tenant_id", "rerate_id", "usage_id"),
  constraint "rerate_changes_tenant_id_rerate_id_fkey" foreign key ("tenant_id", "rerate_id") references "rerates" ("tenant_id", "id")
) strict;
create table "budgets" (
  "tenant_id" text not null,
  "id" text not null,
  "name" text not null,
  "scope_type" text not null,
  "scope_id" text not null,
  "mode" text not null,
  "limit_nanos" integer not null,
  "period" text not null,
  "time_zone" text not null,
  "rolling_ms" integer,
  "starts_at" integer,
  "ends_at" integer,
  "thresholds" text not null,
  "on_failure" text not null,
  "state" text not null,
  "revision" integer not null,
  "created_by" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "budgets_pkey" primary key ("tenant_id", "id"),
  constraint "budgets_scope_type_check" check ("scope_type" in ('tenant', 'project', 'agent', 'workflow', 'user', 'key', 'run')),
  constraint "budgets_mode_check" check ("mode" in ('hard', 'soft', 'ask')),
  constraint "budgets_period_check" check ("period" in ('day', 'week', 'month', 'quarter', 'year', 'rolling', 'once')),
  constraint "budgets_on_failure_check" check ("on_failure" in ('closed', 'open')),
  constraint "budgets_state_check" check ("state" in ('active', 'archived'))
) strict;
create table "budget_periods" (
  "tenant_id" text not null,
  "budget_id" text not null,
  "period_key" text not null,
  "starts_at" integer not null,
  "ends_at" integer not null,
  "settled_nanos" integer not null,
  "held_nanos" integer not null,
  "extra_nanos" integer not null,
  "crossed" integer not null,
  "updated_at" integer not null,
  constraint "budget_periods_pkey" primary key ("tenant_id", "budget_id", "period_key"),
  constraint "budget_periods_tenant_id_budget_id_fkey" foreign key ("tenant_id", "budget_id") references "budgets" ("tenant_id", "id")
) strict;
create table "budget_holds" (
  "tenant_id" text not null,
  "id" text not null,
  "owner" text not null,
  "run_id" text,
  "amount_nanos" integer not null,
  "estimate_nanos" integer not null,
  "budgets" text not null,
  "state" text not null,
  "settled_nanos" integer,
  "created_at" integer not null,
  "expires_at" integer not null,
  "settled_at" integer,
  constraint "budget_holds_pkey" primary key ("tenant_id", "id"),
  constraint "budget_holds_tenant_id_owner_key" unique ("tenant_id", "owner"),
  constraint "budget_holds_state_check" check ("state" in ('held', 'settled', 'released', 'estimated'))
) strict;
create table "budget_waits" (
  "tenant_id" text not null,
  "run_id" text not null,
  "step" integer not null,
  "budget_id" text not null,
  "needed_nanos" integer not null,
  "again_at" integer,
  "created_at" integer not null,
  constraint "budget_waits_pkey" primary key ("tenant_id", "run_id", "step")
) strict;
create table "plans" (
  "id" text not null,
  "key" text not null,
  "version" integer not null,
  "name" text not null,
  "description" text not null,
  "currency" text not null,
  "interval" text not null,
  "base_minor" integer not null,
  "per_seat" integer not null,
  "trial_days" integer not null,
  "included" text not null,
  "overage" text not null,
  "features" text not null,
  "limits" text not null,
  "state" text not null,
  "stripe_price_id" text,
  "created_by" text not null,
  "created_at" integer not null,
  constraint "plans_pkey" primary key ("id"),
  constraint "plans_key_version_key" unique ("key", "version"),
  constraint "plans_interval_check" check ("interval" in ('month', 'year')),
  constraint "plans_state_check" check ("state" in ('active', 'archived'))
) strict;
create table "billing_accounts" (
  "tenant_id" text not null,
  "name" text not null,
  "email" text,
  "currency" text not null,
  "time_zone" text not null,
  "collection" text not null,
  "stripe_customer_id" text,
  "standing" text not null,
  "standing_since" integer not null,
  "last_number" integer not null,
  "metered_until" integer,
  "max_concurrent_jobs" integer,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "billing_accounts_pkey" primary key ("tenant_id"),
  constraint "billing_accounts_stripe_customer_id_key" unique ("stripe_customer_id"),
  constraint "billing_accounts_collection_check" check ("collection" in ('manual', 'stripe')),
  constraint "billing_accounts_standing_check" check ("standing" in ('active', 'grace', 'restricted')),
  constraint "billing_accounts_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id")
) strict;
create table "subscriptions" (
  "tenant_id" text not null,
  "id" text not null,
  "plan_id" text not null,
  "seats" integer not null,
  "state" text not null,
  "anchor_at" integer not null,
  "period_start" integer not null,
  "period_end" integer not null,
  "usage_from" integer not null,
  "trial_ends_at" integer,
  "cancel_at_period_end" integer not null,
  "next_plan_id" text,
  "next_seats" integer,
  "paused_at" integer,
  "ended_at" integer,
  "stripe_subscription_id" text,
  "revision" integer not null,
  "created_by" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "subscriptions_pkey" primary key ("tenant_id", "id"),
  constraint "subscriptions_state_check" check ("state" in ('trialing', 'active', 'past_due', 'paused', 'cancelled')),
  constraint "subscriptions_plan_id_fkey" foreign key ("plan_id") references "plans" ("id"),
  constraint "subscriptions_tenant_id_fkey" foreign key ("tenant_id") references "billing_accounts" ("tenant_id")
) strict;
create table "invoices" (
  "tenant_id" text not null,
  "id" text not null,
  "number" text,
  "subscription_id" text,
  "state" text not null,
  "currency" text not null,
  "period_start" integer not null,
  "period_end" integer not null,
  "basis" text not null,
  "subtotal_minor" integer not null,
  "credit_minor" integer not null,
  "total_minor" integer not null,
  "due_at" integer,
  "finalised_at" integer,
  "paid_at" integer,
  "voided_at" integer,
  "note" text,
  "stripe_invoice_id" text,
  "created_at" integer not null,
  "updated_at" integer not null,
  constraint "invoices_pkey" primary key ("tenant_id", "id"),
  constraint "invoices_state_check" check ("state" in ('draft', 'open', 'paid', 'void', 'uncollectible')),
  constraint "invoices_tenant_id_fkey" foreign key ("tenant_id") references "billing_accounts" ("tenant_id")
) strict;
create table "invoice_lines" (
  "tenant_id" text not null,
  "invoice_id" text not null,
  "seq" integer not null,
  "kind" text not null,
  "metric" text,
  "plan_id" text,
  "description" text not null,
  "quantity" integer,
  "exact_nanos" integer,
  "amount_minor" integer not null,
  "detail" text not null,
  "from_at" integer,
  "until_at" integer,
  constraint "invoice_lines_pkey" primary key ("tenant_id", "invoice_id", "seq"),
  constraint "invoice_lines_kind_check" check ("kind" in ('base', 'usage', 'proration', 'adjustment', 'credit')),
  constraint "invoice_lines_metric_check" check ("metric" in ('agent_run', 'workflow_run', 'token', 'tool_call', 'blueprint_install', 'storage')),
  constraint "invoice_lines_tenant_id_invoice_id_fkey" foreign key ("tenant_id", "invoice_id") references "invoices" ("tenant_id", "id")
) strict;
create table "billing_items" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null,
  "currency" text not null,
  "amount_minor" integer not null,
  "remaining_minor" integer not null,
  "description" text not null,
  "detail" text not null,
  "fact_key" text not null,
  "expires_at" integer,
  "created_by" text not null,
  "created_at" integer not null,
  constraint "billing_items_pkey" primary key ("tenant_id", "id"),
  constraint "billing_items_tenant_id_fact_key_key" unique ("tenant_id", "fact_key"),
  constraint "billing_items_kind_check" check ("kind" in ('credit', 'adjustment', 'proration'))
) strict;
create table "billing_outbox" (
  "tenant_id" text not null,
  "id" text not null,
  "kind" text not null,
  "identifier" text not null,
  "payload" text not null,
  "state" text not null,
  "attempts" integer not null,
  "tried_at" integer,
  "next_at" integer not null,
  "last_error" text,
  "created_at" integer not null,
  "sent_at" integer,
  constraint "billing_outbox_pkey" primary key ("tenant_id", "id"),
  constraint "billing_outbox_tenant_id_identifier_key" unique ("tenant_id", "identifier"),
  constraint "billing_outbox_kind_check" check ("kind" in ('meter_event', 'invoice')),
  constraint "billing_outbox_state_check" check ("state" in ('pending', 'sent', 'refused', 'dead'))
) strict;
create table "stripe_events" (
  "id" text not null,
  "type" text not null,
  "object_id" text not null,
  "created_seconds" integer not null,
  "received_at" integer not null,
  "processed_at" integer,
  "attempts" integer not null,
  "next_at" integer not null,
  "error" text,
  "payload" text not null,
  constraint "stripe_events_pkey" primary key ("id")
) strict;
alter table "sessions" add column "content_removed_at" integer;
alter table "runs" add column "user_id" text not null default '';
alter table "runs" add column "project_id" text;
alter table "runs" add column "workflow_id" text;
alter table "runs" add column "content_removed_at" integer;
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
  constraint "steps_waiting_reason_check" check ("waiting_reason" in ('approval', 'in_doubt', 'time', 'event', 'budget')),
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
  "run_id" text,
  "agent_id" text,
  "workflow_id" text,
  "user_id" text,
  "api_key_id" text,
  "project_id" text,
  "model_call_id" text,
  "model" text,
  "quantity" integer not null default 0,
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
  "accepted_at" integer not null default 0,
  constraint "usage_records_pkey" primary key ("tenant_id", "id"),
  constraint "usage_records_kind_check" check ("kind" in ('model_call', 'agent_run', 'workflow_run', 'tool_call', 'token', 'blueprint_install', 'storage')),
  constraint "usage_records_usage_state_check" check ("usage_state" in ('known', 'missing', 'none')),
  constraint "usage_records_cost_state_check" check ("cost_state" in ('priced', 'unpriced', 'usage_missing'))
) strict;
insert into "usage_records__new" ("tenant_id", "id", "kind", "run_id", "agent_id", "workflow_id", "user_id", "api_key_id", "project_id", "model_call_id", "model", "quantity", "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "replay", "occurred_at", "accepted_at") select "tenant_id", "id", "kind", "run_id", "agent_id", null, null, null, null, "model_call_id", "model", 0, "usage_state", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "raw_usage", "cost_state", "cost_nanos", "price_id", "replay", "occurred_at", 0 from "usage_records";
drop table "usage_records";
alter table "usage_records__new" rename to "usage_records";
create index "usage_records_by_run" on "usage_records" ("tenant_id", "run_id");
create index "costs_by_run" on "costs" ("tenant_id", "run_id");
create index "costs_by_time" on "costs" ("tenant_id", "occurred_at");
create index "tenant_prices_by_subject" on "tenant_prices" ("tenant_id", "subject", "effective_from");
create index "budgets_by_scope" on "budgets" ("tenant_id", "scope_type", "scope_id") where state = 'active';
create unique index "budgets_by_name" on "budgets" ("tenant_id", "name") where state = 'active';
create index "budget_periods_by_start" on "budget_periods" ("tenant_id", "budget_id", "starts_at");
create index "budget_holds_expiring" on "budget_holds" ("expires_at") where state = 'held';
create index "budget_holds_by_run" on "budget_holds" ("tenant_id", "run_id") where state = 'held';
create index "budget_waits_by_budget" on "budget_waits" ("tenant_id", "budget_id");
create index "budget_waits_due" on "budget_waits" ("again_at") where again_at is not null;
create unique index "subscriptions_open" on "subscriptions" ("tenant_id") where state <> 'cancelled';
create index "subscriptions_due" on "subscriptions" ("period_end") where state <> 'cancelled';
create index "subscriptions_by_plan" on "subscriptions" ("plan_id") where state <> 'cancelled';
create unique index "invoices_by_number" on "invoices" ("tenant_id", "number") where number is not null;
create unique index "invoices_by_period" on "invoices" ("tenant_id", "subscription_id", "period_end") where subscription_id is not null and state <> 'void';
create index "invoices_drafted" on "invoices" ("created_at") where state = 'draft';
create index "invoices_late" on "invoices" ("due_at") where state = 'open';
create index "invoices_by_stripe" on "invoices" ("stripe_invoice_id") where stripe_invoice_id is not null;
create index "billing_items_open" on "billing_items" ("tenant_id", "created_at") where remaining_minor <> 0;
create index "billing_outbox_due" on "billing_outbox" ("next_at") where state = 'pending';
create index "stripe_events_open" on "stripe_events" ("next_at") where processed_at is null;
create index "events_by_subject" on "events" ("tenant_id", "subject", "seq") where audit = 1;
create index "sessions_with_content" on "sessions" ("tenant_id", "updated_at") where content_removed_at is null;
create index "runs_with_content" on "runs" ("tenant_id", "finished_at", "id") where finished_at is not null and content_removed_at is null;
create index "steps_by_input_body" on "steps" ("tenant_id", "input_hash") where input_hash is not null;
create index "steps_by_output_body" on "steps" ("tenant_id", "output_hash") where output_hash is not null;
create index "run_messages_by_body" on "run_messages" ("tenant_id", "content_hash") where content_hash is not null;
create index "model_calls_by_own_head" on "model_calls" ("tenant_id", "head_hash") where messages_until = 0;
create index "signals_of_tenant_by_age" on "signals" ("tenant_id", "created_at");
create index "usage_records_by_time" on "usage_records" ("tenant_id", "occurred_at");
create index "usage_records_billed" on "usage_records" ("tenant_id", "replay", "kind", "accepted_at", "quantity");
