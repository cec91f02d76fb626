import {
  budget,
  budgetDetail,
  budgetEvent,
  budgetPeriod,
  budgetScopeType,
  budgetState,
  createBudget,
  topUpBudget,
  transferBudget,
  updateBudget,
} from '../budget.ts'
import { line, pageOf, pageQuery } from '../fields.ts'
import { route } from '../route.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'budgets' } as const
const params = { id: idParam('budget', 'budget.not-found') } as const

export const budgetRoutes = {
  createBudget: route({
    ...shared,
    method: 'POST',
    feature: 'budgets',
    path: '/financial/budgets',
    permission: 'MANAGE_BILLING',
    summary: 'Set a budget on the tenant, a project, an agent, a workflow, a user, a key or a run',
    description:
      'It counts what is spent from now on. Without `mode` it is hard: what would pass the limit is refused before it is spent.',
    body: { schema: createBudget },
    responses: { 201: budgetDetail },
    errors: ['budget.name-taken'],
    idempotent: true,
  }),
  listBudgets: route({
    ...shared,
    method: 'GET',
    path: '/financial/budgets',
    permission: 'READ_BILLING',
    summary:
      'List budgets with where they stand, newest first; the active ones unless `state` says otherwise',
    query: pageQuery.extend({
      scopeType: budgetScopeType.optional(),
      scopeId: line(200).optional(),
      state: budgetState.optional(),
    }),
    responses: { 200: pageOf(budget) },
  }),
  getBudget: route({
    ...shared,
    method: 'GET',
    path: '/financial/budgets/{id}',
    permission: 'READ_BILLING',
    summary: 'Get a budget: what is settled, held and left in its period, and which runs wait for it',
    params,
    responses: { 200: budgetDetail },
  }),
  updateBudget: route({
    ...shared,
    method: 'PATCH',
    path: '/financial/budgets/{id}',
    permission: 'MANAGE_BILLING',
    summary: 'Change a budget: its name, limit, mode, thresholds',
    description:
      'A limit may be set below what is spent: then nothing more is let through. What the budget is on, and its period, time zone and window, stay: archive it and create another.',
    params,
    body: { schema: updateBudget },
    responses: { 200: budgetDetail },
    errors: ['budget.name-taken', 'budget.archived'],
  }),
  topUpBudget: route({
    ...shared,
    method: 'POST',
    path: '/financial/budgets/{id}/top-ups',
    permission: 'MANAGE_BILLING',
    summary: 'Add to a budget for its present period alone',
    description: 'Runs that wait for it go on where that is enough.',
    params,
    body: { schema: topUpBudget },
    responses: { 200: budgetDetail },
    errors: ['budget.archived'],
    idempotent: true,
  }),
  transferBudget: route({
    ...shared,
    method: 'POST',
    path: '/financial/budgets/{id}/transfers',
    permission: 'MANAGE_BILLING',
    summary: 'Move a part of the limit to another budget of the same period, at once',
    description:
      'From this period on, in one transaction. Only what is neither settled nor held can be moved. Answers the budget that gave.',
    params,
    body: { schema: transferBudget },
    responses: { 200: budgetDetail },
    errors: ['budget.archived'],
    idempotent: true,
  }),
  archiveBudget: route({
    ...shared,
    method: 'DELETE',
    path: '/financial/budgets/{id}',
    permission: 'MANAGE_BILLING',
    summary: 'Archive a budget: it holds no longer; its history stays',
    params,
    responses: { 204: null },
  }),
  listBudgetHistory: route({
    ...shared,
    method: 'GET',
    path: '/financial/budgets/{id}/history',
    permission: 'READ_BILLING',
    summary: 'What happened to a budget, newest first: changes with who made them, thresholds crossed',
    params,
    query: pageQuery,
    responses: { 200: pageOf(budgetEvent) },
  }),
  listBudgetPeriods: route({
    ...shared,
    method: 'GET',
    path: '/financial/budgets/{id}/periods',
    permission: 'READ_BILLING',
    summary: 'What a budget spent in its periods, newest first',
    params,
    query: pageQuery,
    responses: { 200: pageOf(budgetPeriod) },
  }),
} as const
