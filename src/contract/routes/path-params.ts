// The parts of paths that routes share.

import type { ErrorCode } from '../../base/errors.ts'
import { ID_PREFIX, type IdKind } from '../../base/ids.ts'
import { idPattern } from '../fields.ts'
import type { PathParam } from '../route.ts'

/** The id of a thing. */
export function idParam(kind: IdKind, missing: ErrorCode): PathParam {
  return {
    form: idPattern(kind),
    type: 'string',
    description: `The id, like \`${ID_PREFIX[kind]}_…\`.`,
    missing,
    example: `${ID_PREFIX[kind]}_01kb2m3n4p5q6r7s8t9v0w1x2y`,
  }
}

/** The id or the name of a definition. */
export function idOrName(missing: ErrorCode, example: string): PathParam {
  return {
    form: /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/,
    type: 'string',
    description: 'Id or name.',
    missing,
    example,
  }
}

export const versionParam: PathParam = {
  form: /^[1-9]\d{0,8}$/,
  type: 'integer',
  description: 'The number of the version.',
  missing: 'version.not-found',
  example: '1',
}
