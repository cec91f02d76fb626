// The readable documents of a folder. Never leaves the folder, whatever links say.

import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { BLOCKS_BY_ENDING } from './document-blocks.ts'

const FILES_MAX = 5_000
const FILE_BYTES_MAX = 1_048_576
const FOLDER_BYTES_MAX = 33_554_432
const FOLDER_DEPTH_MAX = 12
const ENTRIES_MAX = 50_000

export interface DocumentFile {
  /** Inside the folder, with slashes. */
  readonly path: string
  readonly absolute: string
  readonly bytes: number
  readonly modifiedMs: number
}

/**
 * The documents below the folder by path, up to the limits: files over 1 MB are left out, and so is what comes
 * after 5,000 files or 32 MB. Left out as well: names that begin with a dot, `node_modules`, folders that are
 * links, and links to files outside. Rejects when the folder cannot be read.
 */
export async function listDocuments(folder: string): Promise<readonly DocumentFile[]> {
  const root = await realpath(folder)
  const found: DocumentFile[] = []
  const room = { files: FILES_MAX, bytes: FOLDER_BYTES_MAX, entries: ENTRIES_MAX }
  const visit = async (directory: string, depth: number): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
      room.entries -= 1
      if (room.files <= 0 || room.entries <= 0) return
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const path = join(directory, entry.name)
      if (entry.isDirectory() && depth < FOLDER_DEPTH_MAX) await visit(path, depth + 1)
      if (!entry.isFile() && !entry.isSymbolicLink()) continue
      const document = await describe(root, path)
      if (document === undefined || document.bytes > room.bytes) continue
      room.files -= 1
      room.bytes -= document.bytes
      found.push(document)
    }
  }
  await visit(root, 0)
  return found
}

/** The text of a document; undefined when it has gone, or has grown over the limit, since it was listed. */
export async function readDocument(file: DocumentFile): Promise<string | undefined> {
  try {
    const { size } = await stat(file.absolute)
    return size > FILE_BYTES_MAX ? undefined : await readFile(file.absolute, 'utf8')
  } catch {
    return undefined
  }
}

async function describe(root: string, path: string): Promise<DocumentFile | undefined> {
  if (!Object.hasOwn(BLOCKS_BY_ENDING, extname(path).toLowerCase())) return undefined
  try {
    const absolute = await realpath(path)
    if (!absolute.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined
    const { size, mtimeMs, isFile } = await stat(absolute).then((stats) => ({
      size: stats.size,
      mtimeMs: stats.mtimeMs,
      isFile: stats.isFile(),
    }))
    if (!isFile || size > FILE_BYTES_MAX) return undefined
    return { path: relative(root, path).split(sep).join('/'), absolute, bytes: size, modifiedMs: mtimeMs }
  } catch {
    // A broken link, or a file that has just gone.
    return undefined
  }
}
