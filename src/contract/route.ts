// What a route is: data from which the server, the SDK and /openapi.json are made.

import type { z } from 'zod'
import type { ErrorCode } from '../base/errors.ts'
import type { OPERATE, Permission } from './permission.ts'
import type { Feature } from './plan.ts'

/** Who may call: a permission's holders, anyone with a credential, anyone at all, or the platform's operator. */
export type Access = Permission | 'authenticated' | 'public' | typeof OPERATE

/** A part of the path. Text of another form cannot be the name of anything: `missing` is answered without a query. */
export interface PathParam {
  readonly form: RegExp
  readonly type: 'string' | 'integer'
  readonly description: string
  readonly missing: ErrorCode
  readonly example: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /api/v1, with `{name}` for each of `params`; with `outside`, below the root. */
  readonly path: string
  readonly outside?: true
  readonly permission: Access
  /** Open only to tenants whose plan has it. */
  readonly feature?: Feature
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params?: Readonly<Record<string, PathParam>>
  readonly query?: z.ZodObject
  readonly body?: RouteBody
  /** The schema of each success; null where there is no body. The first is the usual one. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>
  /** What this route can answer beside what every route can (see `commonErrors`). */
  readonly errors?: readonly ErrorCode[]
  /** Takes `Idempotency-Key`: the same key and the same request make the thing once. */
  readonly idempotent?: true
  /** Doing it again may do more: not repeated by clients unless the server said that it did nothing. */
  readonly unrepeatable?: true
  /** What is answered: JSON where nothing is said. `sse` answers JSON to a client that accepts only that; `file` a `FileContent`. */
  readonly kind?: 'json' | 'sse' | 'text' | 'html' | 'file'
  /** Of a `file`: what it may be. */
  readonly mediaTypes?: readonly string[]
}

export interface RouteBody {
  readonly schema: z.ZodType
  /** Of any media type, and given to the handler as the text that came: for what is signed. The schema is that of a text. */
  readonly raw?: true
  /** May also be sent as a page sends a form; an empty field is one that was left out. */
  readonly form?: true
  /** May also be sent as YAML. */
  readonly yaml?: true
  /** An empty body is `{}`. */
  readonly optional?: true
}

/** Why a run that could start is not accepted: what the plan, the standing and the budgets of the tenant say. */
export const START_REFUSALS = ['billing.restricted', 'budget.exceeded', 'budget.unavailable'] as const

const API_BASE = '/api/v1'

/** Declares a route, keeping its exact type. */
export function route<const R extends Route>(declared: R): R {
  return declared
}

/** The whole path with `{name}` parts. */
export function fullPath(declared: Route): string {
  return declared.outside ? declared.path : `${API_BASE}${declared.path}`
}

export type ParamsOf<R extends Route> = R extends { params: infer P }
  ? { readonly [K in keyof P]: string }
  : object
export type QueryOf<R extends Route> = R extends { query: infer Q extends z.ZodType } ? z.output<Q> : object
/** As a client may write it: what has a default may be left out. */
export type QueryInputOf<R extends Route> = R extends { query: infer Q extends z.ZodType }
  ? z.input<Q>
  : object
export type BodyOf<R extends Route> = R extends { body: { schema: infer B extends z.ZodType } }
  ? z.output<B>
  : undefined
type Schemas<R extends Route> = R['responses'][keyof R['responses']]
export type ResponseOf<R extends Route> =
  Schemas<R> extends infer S ? (S extends z.ZodType ? z.output<S> : undefined) : never

/** What any route with that access can answer. */
export function commonErrors(declared: Route): readonly ErrorCode[] {
  // A query that the route does not take is refused everywhere.
  const codes: ErrorCode[] = ['internal', 'server.unavailable', 'request.invalid']
  if (!declared.outside) codes.push('server.stopping')
  if (declared.permission !== 'public')
    codes.push('auth.missing', 'auth.invalid', 'auth.expired', 'tenant.suspended', 'rate.limited')
  if (declared.permission !== 'public' && declared.permission !== 'authenticated') codes.push('access.denied')
  if (declared.feature) codes.push('plan.feature-missing')
  if (declared.query && 'cursor' in declared.query.shape) codes.push('cursor.invalid')
  if (declared.body) codes.push('request.malformed', 'request.too-large', 'request.unsupported-media-type')
  if (declared.idempotent) codes.push('idempotency.key-reused', 'idempotency.in-progress')
  for (const param of Object.values(declared.params ?? {})) codes.push(param.missing)
  return codes
}
