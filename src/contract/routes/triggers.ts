import { z } from 'zod'
import { pageOf, pageQuery } from '../fields.ts'
import { route } from '../route.ts'
import {
  createdTrigger,
  delivered,
  rotatedSecret,
  sendEvent,
  sentEvent,
  trigger,
  triggerChange,
  triggerInput,
  triggerKind,
} from '../trigger.ts'
import { idParam } from './path-params.ts'

const shared = { tag: 'triggers' } as const
const params = { id: idParam('trigger', 'trigger.not-found') } as const

export const triggerRoutes = {
  createTrigger: route({
    ...shared,
    method: 'POST',
    feature: 'triggers',
    path: '/triggers',
    permission: 'WRITE_TRIGGERS',
    summary: 'Create a trigger: a schedule, a webhook or an event that starts runs',
    description:
      'Its runs start in your name, with what you may do at that time and no more than you may do now. Needs RUN_AGENTS or RUN_WORKFLOWS as well.',
    body: { schema: triggerInput },
    responses: { 201: createdTrigger },
    errors: ['trigger.name-taken', 'definition.invalid'],
    idempotent: true,
  }),
  listTriggers: route({
    ...shared,
    method: 'GET',
    path: '/triggers',
    permission: 'READ_TRIGGERS',
    summary: 'List triggers, newest first',
    query: pageQuery.extend({ kind: triggerKind.optional() }),
    responses: { 200: pageOf(trigger) },
  }),
  getTrigger: route({
    ...shared,
    method: 'GET',
    path: '/triggers/{id}',
    permission: 'READ_TRIGGERS',
    summary: 'Get a trigger with its last tick and the next ones',
    params,
    responses: { 200: trigger },
  }),
  updateTrigger: route({
    ...shared,
    method: 'PATCH',
    path: '/triggers/{id}',
    permission: 'WRITE_TRIGGERS',
    summary: 'Pause, resume or change a trigger',
    description:
      'Whoever changes more than its state is its owner from then on. A schedule that is resumed goes on with its next tick.',
    params,
    body: { schema: triggerChange },
    responses: { 200: trigger },
    errors: ['definition.invalid'],
  }),
  deleteTrigger: route({
    ...shared,
    method: 'DELETE',
    path: '/triggers/{id}',
    permission: 'WRITE_TRIGGERS',
    summary: 'Delete a trigger; its runs stay',
    params,
    responses: { 204: null },
  }),
  rotateTriggerSecret: route({
    ...shared,
    method: 'POST',
    path: '/triggers/{id}/rotate-secret',
    permission: 'WRITE_TRIGGERS',
    summary: 'Give a webhook a new secret; the one before counts for a day more',
    description:
      'Who can sign can start its runs: whoever renews the secret is its owner from then on, and needs RUN_AGENTS or RUN_WORKFLOWS as well.',
    params,
    body: { schema: z.strictObject({}), optional: true },
    responses: { 200: rotatedSecret },
    unrepeatable: true,
  }),
  receiveWebhook: route({
    ...shared,
    method: 'POST',
    path: '/hooks/{id}',
    permission: 'public',
    summary: 'Deliver to a webhook',
    description:
      'Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`. A delivery that comes twice starts one run. What is not signed rightly is answered like a webhook that is not there.',
    params,
    body: { schema: z.string(), raw: true },
    responses: { 202: delivered },
    errors: ['trigger.paused', 'trigger.failed'],
  }),
  sendEvent: route({
    ...shared,
    method: 'POST',
    path: '/events',
    permission: 'SEND_SIGNALS',
    summary: 'Send a named event to the runs that wait for it, and to the triggers that it sets off',
    description:
      'Kept for a while: a run that was started before and begins to wait for it later gets it as well, once.',
    body: { schema: sendEvent },
    responses: { 202: sentEvent },
    idempotent: true,
  }),
} as const
