// The tables of the product, by part. The database's types, the migrations and the guards are made from this list.

import { approvalLinks, approvals, approvalVotes, earlyDecisions } from './approval-tables.ts'
import {
  billingAccounts,
  billingItems,
  billingOutbox,
  invoiceLines,
  invoices,
  plans,
  stripeEvents,
  subscriptions,
} from './billing-tables.ts'
import { definitions, definitionVersions } from './catalog-tables.ts'
import { events, idempotencyKeys } from './event-tables.ts'
import { apiKeys, memberships, projects, tenants, users } from './identity-tables.ts'
import {
  budgetHolds,
  budgetPeriods,
  budgets,
  budgetWaits,
  costs,
  rerateChanges,
  rerates,
  tenantPrices,
  usageRecords,
} from './money-tables.ts'
import { jobs, workers } from './queue-tables.ts'
import { bodies, modelCalls, runMessages, runs, sessions, sessionTurns, steps } from './run-tables.ts'
import type { Column, GeneratedColumn, Table } from './table.ts'
import { signals, signalWaits, triggers, triggerTicks } from './trigger-tables.ts'

export const TABLES = {
  tenants,
  users,
  memberships,
  apiKeys,
  projects,
  definitions,
  definitionVersions,
  events,
  idempotencyKeys,
  sessions,
  sessionTurns,
  runs,
  steps,
  runMessages,
  modelCalls,
  bodies,
  jobs,
  workers,
  approvals,
  approvalVotes,
  earlyDecisions,
  approvalLinks,
  triggers,
  triggerTicks,
  signals,
  signalWaits,
  usageRecords,
  costs,
  tenantPrices,
  rerates,
  rerateChanges,
  budgets,
  budgetPeriods,
  budgetHolds,
  budgetWaits,
  plans,
  billingAccounts,
  subscriptions,
  invoices,
  invoiceLines,
  billingItems,
  billingOutbox,
  stripeEvents,
} as const

/** A row as it is read: camelCase names, a number, a text, a bigint or null. */
export type Row<T> =
  T extends Table<infer C> ? { readonly [K in keyof C]: C[K] extends Column<infer V> ? V : never } : never

/** A row as it is written: generated columns left out. */
export type NewRow<T> =
  T extends Table<infer C>
    ? {
        readonly [K in keyof C as C[K] extends GeneratedColumn ? never : K]: C[K] extends Column<infer V>
          ? V
          : never
      }
    : never

export type TableName = keyof typeof TABLES
export type RowOf<N extends TableName> = Row<(typeof TABLES)[N]>
export type NewRowOf<N extends TableName> = NewRow<(typeof TABLES)[N]>
