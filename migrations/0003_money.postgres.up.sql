create table "projects" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "name" text collate "C" not null,
  "state" text collate "C" not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "projects_pkey" primary key ("tenant_id", "id"),
  constraint "projects_tenant_id_name_key" unique ("tenant_id", "name"),
  constraint "projects_state_check" check ("state" in ('active', 'archived'))
);
create table "costs" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "type" text collate "C" not null,
  "run_id" text collate "C",
  "agent_id" text collate "C",
  "workflow_id" text collate "C",
  "user_id" text collate "C",
  "api_key_id" text collate "C",
  "project_id" text collate "C",
  "amount_nanos" bigint not null,
  "quantity" bigint,
  "unit" text collate "C",
  "description" text collate "C" not null,
  "fact_key" text collate "C" not null,
  "replay" bigint not null,
  "created_by" text collate "C" not null,
  "occurred_at" bigint not null,
  "accepted_at" bigint not null,
  constraint "costs_pkey" primary key ("tenant_id", "id"),
  constraint "costs_tenant_id_fact_key_key" unique ("tenant_id", "fact_key"),
  constraint "costs_type_check" check ("type" in ('LLM_API', 'TOOL_USAGE', 'COMPUTE', 'STORAGE', 'BANDWIDTH'))
);
create table "tenant_prices" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "subject" text collate "C" not null,
  "effective_from" bigint not null,
  "effective_until" bigint,
  "amounts" text collate "C" not null,
  "note" text collate "C" not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "withdrawn_at" bigint,
  constraint "tenant_prices_pkey" primary key ("tenant_id", "id")
);
create table "rerates" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "from_at" bigint not null,
  "until_at" bigint not null,
  "model" text collate "C",
  "reason" text collate "C" not null,
  "records" bigint not null,
  "changed" bigint not null,
  "before_nanos" bigint not null,
  "after_nanos" bigint not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  constraint "rerates_pkey" primary key ("tenant_id", "id")
);
create table "rerate_changes" (
  "tenant_id" text collate "C" not null,
  "rerate_id" text collate "C" not null,
  "usage_id" text collate "C" not null,
  "before_state" text collate "C" not null,
  "before_nanos" bigint,
  "before_price_id" text collate "C",
  "after_state" text collate "C" not null,
  "after_nanos" bigint,
  "after_price_id" text collate "C",
  constraint "rerate_changes_pkey" primary key ("tenant_id", "rerate_id", "usage_id")
);
create table "budgets" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "name" text collate "C" not null,
  "scope_type" text collate "C" not null,
  "scope_id" text collate "C" not null,
  "mode" text collate "C" not null,
  "limit_nanos" bigint not null,
  "period" text collate "C" not null,
  "time_zone" text collate "C" not null,
  "rolling_ms" bigint,
  "starts_at" bigint,
  "ends_at" bigint,
  "thresholds" text collate "C" not null,
  "on_failure" text collate "C" not null,
  "state" text collate "C" not null,
  "revision" bigint not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "budgets_pkey" primary key ("tenant_id", "id"),
  constraint "budgets_scope_type_check" check ("scope_type" in ('tenant', 'project', 'agent', 'workflow', 'user', 'key', 'run')),
  constraint "budgets_mode_check" check ("mode" in ('hard', 'soft', 'ask')),
  constraint "budgets_period_check" check ("period" in ('day', 'week', 'month', 'quarter', 'year', 'rolling', 'once')),
  constraint "budgets_on_failure_check" check ("on_failure" in ('closed', 'open')),
  constraint "budgets_state_check" check ("state" in ('active', 'archived'))
);
create table "budget_periods" (
  "tenant_id" text collate "C" not null,
  "budget_id" text collate "C" not null,
  "period_key" text collate "C" not null,
  "starts_at" bigint not null,
  "ends_at" bigint not null,
  "settled_nanos" bigint not null,
  "held_nanos" bigint not null,
  "extra_nanos" bigint not null,
  "crossed" bigint not null,
  "updated_at" bigint not null,
  constraint "budget_periods_pkey" primary key ("tenant_id", "budget_id", "period_key")
);
create table "budget_holds" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "owner" text collate "C" not null,
  "run_id" text collate "C",
  "amount_nanos" bigint not null,
  "estimate_nanos" bigint not null,
  "budgets" text collate "C" not null,
  "state" text collate "C" not null,
  "settled_nanos" bigint,
  "created_at" bigint not null,
  "expires_at" bigint not null,
  "settled_at" bigint,
  constraint "budget_holds_pkey" primary key ("tenant_id", "id"),
  constraint "budget_holds_tenant_id_owner_key" unique ("tenant_id", "owner"),
  constraint "budget_holds_state_check" check ("state" in ('held', 'settled', 'released', 'estimated'))
);
create table "budget_waits" (
  "tenant_id" text collate "C" not null,
  "run_id" text collate "C" not null,
  "step" bigint not null,
  "budget_id" text collate "C" not null,
  "needed_nanos" bigint not null,
  "again_at" bigint,
  "created_at" bigint not null,
  constraint "budget_waits_pkey" primary key ("tenant_id", "run_id", "step")
);
create table "plans" (
  "id" text collate "C" not null,
  "key" text collate "C" not null,
  "version" bigint not null,
  "name" text collate "C" not null,
  "description" text collate "C" not null,
  "currency" text collate "C" not null,
  "interval" text collate "C" not null,
  "base_minor" bigint not null,
  "per_seat" bigint not null,
  "trial_days" bigint not null,
  "included" text collate "C" not null,
  "overage" text collate "C" not null,
  "features" text collate "C" not null,
  "limits" text collate "C" not null,
  "state" text collate "C" not null,
  "stripe_price_id" text collate "C",
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  constraint "plans_pkey" primary key ("id"),
  constraint "plans_key_version_key" unique ("key", "version"),
  constraint "plans_interval_check" check ("interval" in ('month', 'year')),
  constraint "plans_state_check" check ("state" in ('active', 'archived'))
);
create table "billing_accounts" (
  "tenant_id" text collate "C" not null,
  "name" text collate "C" not null,
  "email" text collate "C",
  "currency" text collate "C" not null,
  "time_zone" text collate "C" not null,
  "collection" text collate "C" not null,
  "stripe_customer_id" text collate "C",
  "standing" text collate "C" not null,
  "standing_since" bigint not null,
  "last_number" bigint not null,
  "metered_until" bigint,
  "max_concurrent_jobs" bigint,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "billing_accounts_pkey" primary key ("tenant_id"),
  constraint "billing_accounts_stripe_customer_id_key" unique ("stripe_customer_id"),
  constraint "billing_accounts_collection_check" check ("collection" in ('manual', 'stripe')),
  constraint "billing_accounts_standing_check" check ("standing" in ('active', 'grace', 'restricted'))
);
create table "subscriptions" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "plan_id" text collate "C" not null,
  "seats" bigint not null,
  "state" text collate "C" not null,
  "anchor_at" bigint not null,
  "period_start" bigint not null,
  "period_end" bigint not null,
  "usage_from" bigint not null,
  "trial_ends_at" bigint,
  "cancel_at_period_end" bigint not null,
  "next_plan_id" text collate "C",
  "next_seats" bigint,
  "paused_at" bigint,
  "ended_at" bigint,
  "stripe_subscription_id" text collate "C",
  "revision" bigint not null,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "subscriptions_pkey" primary key ("tenant_id", "id"),
  constraint "subscriptions_state_check" check ("state" in ('trialing', 'active', 'past_due', 'paused', 'cancelled'))
);
create table "invoices" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "number" text collate "C",
  "subscription_id" text collate "C",
  "state" text collate "C" not null,
  "currency" text collate "C" not null,
  "period_start" bigint not null,
  "period_end" bigint not null,
  "basis" text collate "C" not null,
  "subtotal_minor" bigint not null,
  "credit_minor" bigint not null,
  "total_minor" bigint not null,
  "due_at" bigint,
  "finalised_at" bigint,
  "paid_at" bigint,
  "voided_at" bigint,
  "note" text collate "C",
  "stripe_invoice_id" text collate "C",
  "created_at" bigint not null,
  "updated_at" bigint not null,
  constraint "invoices_pkey" primary key ("tenant_id", "id"),
  constraint "invoices_state_check" check ("state" in ('draft', 'open', 'paid', 'void', 'uncollectible'))
);
create table "invoice_lines" (
  "tenant_id" text collate "C" not null,
  "invoice_id" text collate "C" not null,
  "seq" bigint not null,
  "kind" text collate "C" not null,
  "metric" text collate "C",
  "plan_id" text collate "C",
  "description" text collate "C" not null,
  "quantity" bigint,
  "exact_nanos" bigint,
  "amount_minor" bigint not null,
  "detail" text collate "C" not null,
  "from_at" bigint,
  "until_at" bigint,
  constraint "invoice_lines_pkey" primary key ("tenant_id", "invoice_id", "seq"),
  constraint "invoice_lines_kind_check" check ("kind" in ('base', 'usage', 'proration', 'adjustment', 'credit')),
  constraint "invoice_lines_metric_check" check ("metric" in ('agent_run', 'workflow_run', 'token', 'tool_call', 'blueprint_install', 'storage'))
);
create table "billing_items" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "kind" text collate "C" not null,
  "currency" text collate "C" not null,
  "amount_minor" bigint not null,
  "remaining_minor" bigint not null,
  "description" text collate "C" not null,
  "detail" text collate "C" not null,
  "fact_key" text collate "C" not null,
  "expires_at" bigint,
  "created_by" text collate "C" not null,
  "created_at" bigint not null,
  constraint "billing_items_pkey" primary key ("tenant_id", "id"),
  constraint "billing_items_tenant_id_fact_key_key" unique ("tenant_id", "fact_key"),
  constraint "billing_items_kind_check" check ("kind" in ('credit', 'adjustment', 'proration'))
);
create table "billing_outbox" (
  "tenant_id" text collate "C" not null,
  "id" text collate "C" not null,
  "kind" text collate "C" not null,
  "identifier" text collate "C" not null,
  "payload" text collate "C" not null,
  "state" text collate "C" not null,
  "attempts" bigint not null,
  "tried_at" bigint,
  "next_at" bigint not null,
  "last_error" text collate "C",
  "created_at" bigint not null,
  "sent_at" bigint,
  constraint "billing_outbox_pkey" primary key ("tenant_id", "id"),
  constraint "billing_outbox_tenant_id_identifier_key" unique ("tenant_id", "identifier"),
  constraint "billing_outbox_kind_check" check ("kind" in ('meter_event', 'invoice')),
  constraint "billing_outbox_state_check" check ("state" in ('pending', 'sent', 'refused', 'dead'))
);
create table "stripe_events" (
  "id" text collate "C" not null,
  "type" text collate "C" not null,
  "object_id" text collate "C" not null,
  "created_seconds" bigint not null,
  "received_at" bigint not null,
  "processed_at" bigint,
  "attempts" bigint not null,
  "next_at" bigint not null,
  "error" text collate "C",
  "payload" text collate "C" not null,
  constraint "stripe_events_pkey" primary key ("id")
);
alter table "sessions" add column "content_removed_at" bigint;
alter table "runs" add column "user_id" text collate "C" not null default '';
alter table "runs" add column "project_id" text collate "C";
alter table "runs" add column "workflow_id" text collate "C";
alter table "runs" add column "content_removed_at" bigint;
alter table "steps" drop constraint if exists "steps_waiting_reason_check";
alter table "steps" add constraint "steps_waiting_reason_check" check ("waiting_reason" in ('approval', 'in_doubt', 'time', 'event', 'budget'));
alter table "usage_records" drop constraint if exists "usage_records_kind_check";
alter table "usage_records" alter column "run_id" drop not null;
alter table "usage_records" alter column "agent_id" drop not null;
alter table "usage_records" add column "workflow_id" text collate "C";
alter table "usage_records" add column "user_id" text collate "C";
alter table "usage_records" add column "api_key_id" text collate "C";
alter table "usage_records" add column "project_id" text collate "C";
alter table "usage_records" alter column "model_call_id" drop not null;
alter table "usage_records" alter column "model" drop not null;
alter table "usage_records" add column "quantity" bigint not null default 0;
alter table "usage_records" add column "accepted_at" bigint not null default 0;
alter table "usage_records" add constraint "usage_records_kind_check" check ("kind" in ('model_call', 'agent_run', 'workflow_run', 'tool_call', 'token', 'blueprint_install', 'storage'));
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
alter table "projects" add constraint "projects_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id");
alter table "rerate_changes" add constraint "rerate_changes_tenant_id_rerate_id_fkey" foreign key ("tenant_id", "rerate_id") references "rerates" ("tenant_id", "id");
alter table "budget_periods" add constraint "budget_periods_tenant_id_budget_id_fkey" foreign key ("tenant_id", "budget_id") references "budgets" ("tenant_id", "id");
alter table "billing_accounts" add constraint "billing_accounts_tenant_id_fkey" foreign key ("tenant_id") references "tenants" ("id");
alter table "subscriptions" add constraint "subscriptions_plan_id_fkey" foreign key ("plan_id") references "plans" ("id");
alter table "subscriptions" add constraint "subscriptions_tenant_id_fkey" foreign key ("tenant_id") references "billing_accounts" ("tenant_id");
alter table "invoices" add constraint "invoices_tenant_id_fkey" foreign key ("tenant_id") references "billing_accounts" ("tenant_id");
alter table "invoice_lines" add constraint "invoice_lines_tenant_id_invoice_id_fkey" foreign key ("tenant_id", "invoice_id") references "invoices" ("tenant_id", "id");
