// The rules of one kind: what a definition must be to be saved, to be published, and to be archived.

import type { FieldError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { BODY_BYTES_MAX } from '../../base/limits.ts'
import { definitionErrors, invalidDefinition } from '../../define/checked-definition.ts'
import type { TenantTransaction } from '../../storage/database.ts'
import type { Kind, KindMap } from '../catalog.ts'
import type { HeadRow, VersionRow } from '../definitions/definition-rows.ts'
import { type Content, contentOf } from '../digest.ts'
import type { KindData } from '../kind.ts'
import type { Checks } from './checks.ts'
import { publishErrors } from './publish-check.ts'
import type { Defined } from './references.ts'
import { checkUnused } from './users.ts'

/** What the kinds do not share. */
export interface Meaning<K extends Kind> {
  defined(definition: KindMap[K]['definition']): Defined
  /** What is wrong beyond the form. */
  errors(definition: KindMap[K]['definition']): readonly FieldError[]
  /** What else is asked of a new one. */
  newErrors?(definition: KindMap[K]['definition']): readonly FieldError[]
}

/** A definition whose form is right. `errors` are told together with those that only publishing finds. */
export interface Candidate extends Content {
  readonly name: string
  readonly defined: Defined
  readonly errors: readonly FieldError[]
}

export interface Rules<K extends Kind> {
  /** Throws `definition.invalid`; where it is to be published, errors of meaning wait for `checkUse`. */
  check(
    definition: KindMap[K]['definition'],
    how: { readonly isNew: boolean; readonly publish: boolean },
  ): Candidate
  /** Throws every error of a definition that is to be published: `definition.invalid`, `agent.cycle`. */
  checkUse(tx: TenantTransaction, candidate: Candidate): Promise<void>
  /** What publishing asks of a version that is stored already. */
  checkStored(tx: TenantTransaction, version: VersionRow): Promise<void>
  /** Names are for good: other definitions and callers hold them. */
  checkName(head: HeadRow, candidate: Candidate): void
  /** Throws `definition.in-use`. */
  checkUnused(tx: TenantTransaction, head: HeadRow): Promise<void>
}

export function createRules<K extends Kind>(
  checks: Checks,
  data: KindData<K>,
  meaning: Meaning<K>,
): Rules<K> {
  const { kind, schema, codec } = data
  return {
    check: (definition, { isNew, publish }) => {
      const faults = definitionErrors(schema, definition)
      if (faults.length > 0) throw invalidDefinition(kind, faults)
      const content = storable(kind, codec.encode(definition))
      const errors = [...((isNew && meaning.newErrors?.(definition)) || []), ...meaning.errors(definition)]
      if (errors.length > 0 && !publish) throw invalidDefinition(kind, errors)
      return { ...content, name: definition.name, defined: meaning.defined(definition), errors }
    },
    checkUse: async (tx, { defined, errors }) => {
      const all = [...errors, ...(await publishErrors(tx, checks, defined))]
      if (all.length > 0) throw invalidDefinition(kind, all)
    },
    checkStored: async (tx, { body }) => {
      const defined = meaning.defined(codec.read(JSON.parse(body) as Json))
      const errors = await publishErrors(tx, checks, defined)
      if (errors.length > 0) throw invalidDefinition(kind, errors)
    },
    checkName: (head, candidate) => {
      if (head.name === candidate.name) return
      const message = `must stay "${head.name}": others refer to it; create another ${kind} for another name`
      throw invalidDefinition(kind, [{ path: '/name', message }])
    },
    checkUnused,
  }
}

function storable(kind: Kind, wire: Json): Content {
  const content = contentOf(wire)
  if (content === undefined) {
    const message = 'holds half a Unicode character or a number that JSON cannot say'
    throw invalidDefinition(kind, [{ path: '', message }])
  }
  const bytes = Buffer.byteLength(content.body)
  if (bytes > BODY_BYTES_MAX) {
    throw invalidDefinition(kind, [
      { path: '', message: `has ${bytes} bytes; the most is ${BODY_BYTES_MAX}` },
    ])
  }
  return content
}
