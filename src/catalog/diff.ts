// The difference of two versions, as changes at JSON Pointers (RFC 6901) in wire names.

import type { Difference } from 'microdiff'
import diff from 'microdiff'
import type { Json } from '../base/json.ts'
import type { Change } from './catalog.ts'

/** What leads from one content to the other; both are JSON texts of an object. Items of arrays are compared by place. */
export function changesBetween(before: string, after: string): Change[] {
  return diff(withoutPrototypes(before), withoutPrototypes(after), { cyclesFix: false }).map(changeOf)
}

/** Objects without a prototype, since the comparison asks `key in object`: a field may well be called `toString`. */
function withoutPrototypes(body: string): Record<string, Json> {
  return JSON.parse(body, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.assign(Object.create(null), value)
      : value,
  ) as Record<string, Json>
}

function changeOf(difference: Difference): Change {
  const path = difference.path
    .map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
  switch (difference.type) {
    case 'CREATE':
      return { path, type: 'added', after: difference.value }
    case 'REMOVE':
      return { path, type: 'removed', before: difference.oldValue }
    case 'CHANGE':
      return { path, type: 'changed', before: difference.oldValue, after: difference.value }
    default:
      return difference satisfies never
  }
}
