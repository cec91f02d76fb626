// How the tests of the tenant guard try statements. Types are in the way of an attack; whoever casts them away
// still has to pass the guard.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Compilable, Kysely } from 'kysely'
import { createCompiler } from './compile.ts'
import { type Bind, statement, type Tables } from './statement.ts'

export type Build = (db: Kysely<Tables>, p: Bind<{ readonly id: string }>) => Compilable<unknown>
export type Cases = Readonly<Record<string, Build>>

/** The builder without the types of the tables. */
export const loose = (db: Kysely<Tables>): Kysely<Record<string, Record<string, unknown>>> => db as never

/** A row of a table of tenants, with the scope's tenant. */
export const bodyOf = (p: Bind<object>) => ({
  tenantId: p.tenantId,
  hash: 'h',
  bytes: 1,
  content: 'c',
  createdAt: 1,
})

/** Registers a test for each statement: those that the guard refuses, and those that it lets pass. */
export function guardCases(subject: string, refused: Cases, allowed: Cases): void {
  const compiler = createCompiler('postgres')
  describe(`the tenant guard on ${subject}`, () => {
    for (const [name, build] of Object.entries(refused)) {
      it(`refuses ${name}`, () => {
        assert.throws(() => compiler.tenant(statement(name, build)), /^Error: The statement "/)
      })
    }
    for (const [name, build] of Object.entries(allowed)) {
      it(`lets ${name} pass`, () => {
        assert.match(compiler.tenant(statement(name, build)).sql, /^(select|with|insert|update|delete) /)
      })
    }
  })
}
