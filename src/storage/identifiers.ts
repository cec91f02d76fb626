// Names: camelCase in TypeScript, snake_case in the database, mapped when a statement is compiled, not per row.

const UPPER = /[A-Z]/g
const UNDERSCORE = /_+([a-z0-9])/g

/** `tenantId` becomes `tenant_id`. A name that is in snake_case already stays as it is. */
export function snakeCase(name: string): string {
  return name.replace(UPPER, (letter) => `_${letter.toLowerCase()}`)
}

/** `tenant_id` becomes `tenantId`. */
export function camelCase(name: string): string {
  return name.replace(UNDERSCORE, (_, letter: string) => letter.toUpperCase())
}

const MONEY = /(?:^n|N)anos$|(?:^m|M)inor$/

/** Whether a result column of this (camelCase) name holds nano-USD or minor units, and so is read as a bigint. */
export function isMoney(name: string): boolean {
  return MONEY.test(name)
}

/** A name in double quotes, as both databases read it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
