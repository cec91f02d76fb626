import { z } from 'zod'
import { OPERATE } from '../permission.ts'
import { route } from '../route.ts'

const platform = { method: 'GET', outside: true, tag: 'platform' } as const

const liveness = z.object({ status: z.literal('ok') })
const readiness = z.object({
  ready: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
})

/** Outside /api/v1: for machines that watch, and for readers. */
export const platformRoutes = {
  livez: route({
    ...platform,
    path: '/livez',
    permission: 'public',
    summary: 'Whether the process answers',
    responses: { 200: liveness },
  }),
  readyz: route({
    ...platform,
    path: '/readyz',
    permission: 'public',
    summary: 'Whether the process may be sent requests',
    responses: { 200: readiness, 503: readiness },
  }),
  metrics: route({
    ...platform,
    path: '/metrics',
    permission: OPERATE,
    summary: 'Metrics in the text format of Prometheus',
    responses: { 200: z.string() },
    kind: 'text',
  }),
  openapi: route({
    ...platform,
    path: '/openapi.json',
    permission: 'public',
    summary: 'This document',
    responses: { 200: z.record(z.string(), z.unknown()).meta({ opaque: true }) },
  }),
  docs: route({
    ...platform,
    path: '/docs',
    permission: 'public',
    summary: 'This document as a page to read',
    responses: { 200: z.string() },
    kind: 'html',
  }),
} as const
