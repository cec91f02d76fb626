// Schema as data: tables are declared once, and the query types, migrations and guards come from the declaration.

/** How a column is kept: `integer` holds counts and times (a JS number), `money` nano-USD (a bigint), `json` text of JSON. */
export type ColumnKind = 'text' | 'integer' | 'money' | 'json'

export interface Column<T = unknown> {
  readonly kind: ColumnKind
  readonly nullable: boolean
  /** Says something about a person: exported and erased for privacy, redacted in logs. */
  readonly personal: boolean
  /** Filled by the database: the ordered key of an append-only table. */
  readonly generated: boolean
  /** SQL default for rows that were there before the column. */
  readonly defaultTo: string | number | undefined
  /** Allowed values, as a CHECK. */
  readonly oneOf: readonly string[] | undefined
  /** Never read: carries the TypeScript type. */
  readonly type?: T
}

export interface ForeignKey {
  readonly columns: readonly string[]
  readonly table: string
  readonly references: readonly string[]
}

export interface Index {
  readonly name: string
  readonly columns: readonly string[]
  readonly unique?: boolean
  /** A partial index: a condition in SQL that both databases read, over snake_case columns. */
  readonly where?: string
}

export interface TableOptions<C> {
  /** Rows belong to a tenant: no statement may touch them without `tenant_id`. */
  readonly tenant: boolean
  readonly columns: C
  readonly primaryKey: readonly (keyof C & string)[]
  readonly unique?: readonly (readonly (keyof C & string)[])[]
  readonly indexes?: readonly Index[]
  readonly foreignKeys?: readonly ForeignKey[]
  /** Pruned by a retention policy, by the age of this column. */
  readonly retained?: keyof C & string
}

export interface Table<C extends Record<string, Column> = Record<string, Column>> extends TableOptions<C> {
  readonly name: string
}

/** Declares a table. Names are camelCase here and snake_case in the database. */
export function table<const C extends Record<string, Column>>(
  name: string,
  options: TableOptions<C>,
): Table<C> {
  return { name, ...options }
}

type Extra<T> = Partial<Pick<Column<T>, 'personal' | 'defaultTo' | 'oneOf'>>

function column<T>(
  kind: ColumnKind,
  nullable: boolean,
  extra: Extra<T> & { generated?: boolean },
): Column<T> {
  return {
    kind,
    nullable,
    personal: extra.personal ?? false,
    generated: extra.generated ?? false,
    defaultTo: extra.defaultTo,
    oneOf: extra.oneOf,
  }
}

export const text = <T extends string = string>(extra: Extra<T> = {}): Column<T> =>
  column<T>('text', false, extra)
export const textOrNull = <T extends string = string>(extra: Extra<T> = {}): Column<T | null> =>
  column<T | null>('text', true, extra)
export const oneOf = <const T extends string>(...values: readonly T[]): Column<T> =>
  column<T>('text', false, { oneOf: values })
export const oneOfOrNull = <const T extends string>(...values: readonly T[]): Column<T | null> =>
  column<T | null>('text', true, { oneOf: values })
export const integer = (extra: Extra<number> = {}): Column<number> => column<number>('integer', false, extra)
export const integerOrNull = (extra: Extra<number> = {}): Column<number | null> =>
  column<number | null>('integer', true, extra)
export const money = (extra: Extra<bigint> = {}): Column<bigint> => column<bigint>('money', false, extra)
export const moneyOrNull = (extra: Extra<bigint> = {}): Column<bigint | null> =>
  column<bigint | null>('money', true, extra)
export const json = (extra: Extra<string> = {}): Column<string> => column<string>('json', false, extra)
export const jsonOrNull = (extra: Extra<string> = {}): Column<string | null> =>
  column<string | null>('json', true, extra)
/** A number that the database counts up: the key of an append-only table. */
export const counter = (): GeneratedColumn =>
  column<number>('integer', false, { generated: true }) as GeneratedColumn

export type GeneratedColumn = Column<number> & { readonly generated: true }
