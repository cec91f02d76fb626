// The rules of the house as pure functions: files in, complaints out. Never reads a file itself.
// Called by src/architecture.test.ts, which holds the tables (folders, doors).
import { basename } from 'node:path/posix'
import type { SourceFile } from './source-file.ts'

/** The tables that the rules need. `folders` is ordered: a folder imports only those after it. */
export type House = {
  readonly folders: readonly string[]
  /** Files at the root of src that make up the public package; they may import anything. */
  readonly publicDoors: readonly string[]
  /** Imports against the order: `to` is a folder or a file, both relative to src. */
  readonly doors: readonly { readonly from: string; readonly to: string; readonly why: string }[]
  /** Folders that may import less than the order allows: only `to`, except the files listed. */
  readonly narrow: readonly {
    readonly folder: string
    readonly to: readonly string[]
    readonly except: readonly string[]
  }[]
  readonly withoutNode: readonly string[]
  readonly environmentFile: string
}

const LINES_MAX = 500
const REFUSED_NAMES = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'managers'])

/** A file imports its own folder or one further down; never up, never out of src. Tests are free. */
export function folderComplaints(house: House, files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    if (isTest(file.path) || house.publicDoors.includes(file.path)) return []
    const from = folderOf(file.path)
    if (!house.folders.includes(from)) return [`${file.path}: "${from}" is not a folder of the house`]
    return file.imports
      .filter(({ target, relative }) => relative && !mayImport(house, file.path, target))
      .map(({ target, line }) => `${file.path}:${line}: ${from} may not import ${target}`)
  })
}

/** No file imports itself through others, by types either. Each cycle is told once. */
export function cycleComplaints(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const complaints: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) complaints.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`)
    if (start >= 0 || done.has(path)) return
    for (const { target } of byPath.get(path)?.imports ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return complaints
}

/** Files stay short enough to read in one go. */
export function sizeComplaints(files: readonly SourceFile[]): string[] {
  const long = files.filter((file) => file.lineCount > LINES_MAX)
  return long.map(({ path, lineCount }) => `${path}: ${lineCount} lines, the most is ${LINES_MAX}`)
}

/** A name says what is inside: no drawers, kebab-case. */
export function nameComplaints(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const names = path.split('/').map((name) => name.replace(/(\.test)?\.ts$/, ''))
    const refused = names.find((name) => name.split('-').some((word) => REFUSED_NAMES.has(word)))
    if (refused !== undefined) return [`${path}: "${refused}" does not say what is inside`]
    if (names.at(-1) === 'types') return [`${path}: types belong beside what they describe`]
    return names.every((name) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) ? [] : [`${path}: not kebab-case`]
  })
}

/** No `any`, `enum`, `namespace`, `export *`; the environment is read in one file; no inner barrels. */
export function constructComplaints(house: House, files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const refused = file.constructs.filter(
      ({ kind }) => kind !== 'environment' || (file.path !== house.environmentFile && !isTest(file.path)),
    )
    const barrel = file.onlyPassesOn && !house.publicDoors.includes(file.path)
    const complaints = refused.map(({ kind, line }) => `${file.path}:${line}: ${kind}`)
    return barrel ? [...complaints, `${file.path}: an inner barrel`] : complaints
  })
}

/** The folders that also run in a browser import nothing of Node. Tests are free. */
export function nodeComplaints(house: House, files: readonly SourceFile[]): string[] {
  const portable = files.filter(
    (file) => !isTest(file.path) && house.withoutNode.includes(folderOf(file.path)),
  )
  return portable.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => target.startsWith('node:'))
      .map(({ target, line }) => `${path}:${line}: ${target} does not exist in a browser`),
  )
}

function mayImport(house: House, path: string, target: string): boolean {
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) return true
  const isOpen = (place: string): boolean => to === place || target === `src/${place}`
  if (house.doors.some((door) => door.from === from && isOpen(door.to))) return true
  const narrow = house.narrow.find((rule) => rule.folder === from && !rule.except.includes(basename(path)))
  if (narrow) return narrow.to.some(isOpen)
  return house.folders.indexOf(to) > house.folders.indexOf(from)
}

function folderOf(path: string): string {
  const [root, folder, file] = path.split('/')
  return root === 'src' && folder !== undefined && file !== undefined ? folder : ''
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}
