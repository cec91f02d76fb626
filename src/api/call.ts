// One call of a route, parsed: what handlers receive and answer.

import type { Principal } from '../contract/principal.ts'
import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from '../contract/route.ts'
import type { RouteId, Routes } from '../contract/routes.ts'

/** What a handler may know of the request beside its parsed parts. */
export interface RequestFacts {
  readonly requestId: string
  readonly ip: string | undefined
  readonly method: string
  readonly path: string
  readonly traceparent: string | undefined
  header(name: string): string | undefined
  /** Aborts when the client goes away. */
  signal(): AbortSignal
}

export interface Call<R extends Route = Route> {
  readonly route: R & { readonly id: RouteId }
  readonly principal: R['permission'] extends 'public' ? undefined : Principal
  readonly params: ParamsOf<R>
  readonly query: QueryOf<R>
  readonly body: BodyOf<R>
  readonly request: RequestFacts
}

export interface Answer<V> {
  readonly status: number
  readonly value: V
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a value, encoded by the route's schema, or a response of its own (a stream, a page). */
export type Handler<R extends Route> = (call: Call<R>) => Promise<Answer<ResponseOf<R>> | Response>

/** One for each route of the table: a missing or superfluous one does not compile. */
export type Handlers = { readonly [Id in RouteId]: Handler<Routes[Id]> }

export function ok<V>(value: V): Answer<V> {
  return { status: 200, value }
}

export function created<V>(value: V, location: string): Answer<V> {
  return { status: 201, value, headers: { location } }
}

export const NO_CONTENT: Answer<undefined> = { status: 204, value: undefined }
