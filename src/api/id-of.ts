import { AppError, type ErrorCode } from '../base/errors.ts'
import { type Id, type IdKind, isId } from '../base/ids.ts'

/** The text as an id of that kind. Text of another form is the id of nothing: throws `missing`. */
export function idOf<K extends IdKind>(kind: K, text: string, missing: ErrorCode): Id<K> {
  if (isId(kind, text)) return text
  throw new AppError(missing, 'There is nothing with that id here.')
}
