// From Kysely's tree to SQL text: names in snake_case, values as numbered places, constants written out.
// Each place is numbered once per name, so that `p.tenantId` used three times is bound once.

import {
  type IdentifierNode,
  PostgresQueryCompiler,
  type QueryId,
  type RootOperationNode,
  SqliteQueryCompiler,
} from 'kysely'
import { snakeCase } from './identifiers.ts'
import { Marker } from './marker.ts'
import type { Dialect } from './schema/dialect.ts'

/** Where the value of a place comes from: a parameter by its name, or a value that is always the same. */
export type Slot = { readonly param: string } | { readonly constant: unknown }

export interface QueryText {
  readonly sql: string
  readonly slots: readonly Slot[]
}

/**
 * The SQL of a query tree. With `inline`, simple constants are written into the text (a statement's are all from
 * the source code): the databases then use partial indexes, and bind less. Values from outside are never inlined.
 */
export function queryText(
  dialect: Dialect,
  root: RootOperationNode,
  id: QueryId,
  inline: boolean,
): QueryText {
  const places = createPlaces(dialect === 'sqlite' ? '?' : '$', inline)
  const compiler = dialect === 'sqlite' ? new SqliteText(places) : new PostgresText(places)
  const { sql } = compiler.compileQuery(root, id)
  return { sql, slots: places.slots }
}

interface Places {
  readonly slots: Slot[]
  /** The SQL that stands for the value. */
  text(value: unknown): string
}

/** Texts without quotes and backslashes, which both databases read in the same way. */
const PLAIN = /^[\w .:-]{0,64}$/

function createPlaces(sign: string, inline: boolean): Places {
  const slots: Slot[] = []
  const places = new Map<string, string>()
  const add = (slot: Slot): string => `${sign}${slots.push(slot)}`
  const text = (value: unknown): string => {
    if (value instanceof Marker) {
      const place = places.get(value.name) ?? add({ param: value.name })
      places.set(value.name, place)
      return place
    }
    if (inline && value === null) return 'null'
    if (inline && Number.isSafeInteger(value)) return String(value)
    if (inline && typeof value === 'string' && PLAIN.test(value)) return `'${value}'`
    return add({ constant: value })
  }
  return { slots, text }
}

class SqliteText extends SqliteQueryCompiler {
  readonly #places: Places

  constructor(places: Places) {
    super()
    this.#places = places
  }

  protected override appendValue(value: unknown): void {
    this.append(this.#places.text(value))
  }

  protected override compileUnwrappedIdentifier(node: IdentifierNode): void {
    this.append(this.sanitizeIdentifier(snakeCase(node.name)))
  }
}

class PostgresText extends PostgresQueryCompiler {
  readonly #places: Places

  constructor(places: Places) {
    super()
    this.#places = places
  }

  protected override appendValue(value: unknown): void {
    this.append(this.#places.text(value))
  }

  protected override compileUnwrappedIdentifier(node: IdentifierNode): void {
    this.append(this.sanitizeIdentifier(snakeCase(node.name)))
  }
}
