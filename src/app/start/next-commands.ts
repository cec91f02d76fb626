// The commands that `npm start` shows: each can be copied into another terminal as it stands, wherever that one is.

import { isAbsolute, join, relative } from 'node:path'

const DEFAULT_DATA_DIR = '.agent-factory'
/** What a shell takes as it is, without quotes. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/

export interface Place {
  /** Where the product is; `npm start` runs there. */
  readonly root: string
  /** Where the user typed `npm start`, and will type what comes next. */
  readonly userFolder: string
  readonly dataDir: string
  readonly url: string
}

/** Best first. */
export function nextCommands(place: Place): readonly string[] {
  const isAtRoot = place.userFolder === place.root
  const folder = isAtRoot ? shortPath(place.root, place.dataDir) : place.dataDir
  const variable = isAtRoot && folder === DEFAULT_DATA_DIR ? '' : `AGENT_FACTORY_DATA_DIR=${word(folder)} `
  const inRoot = (path: string): string => word(isAtRoot ? path : join(place.root, path))
  const program = isAtRoot ? 'npx agent-factory' : `node ${inRoot('bin/agent-factory.cjs')}`
  return [
    `${variable}${program} agent run ${ASKED}`,
    curl(place.url, join(folder, 'credentials.json')),
    `${variable}node ${inRoot('scripts/run.cjs')} ${inRoot('examples/sdk-quickstart.ts')}`,
  ]
}

const ASKED = 'guide "Where is order 1002, and when does the shop open on Saturday?"'

function curl(url: string, keyPath: string): string {
  const path = isAbsolute(keyPath) ? keyPath : `./${keyPath}`
  const key = `$(node -p ${word(`require(${JSON.stringify(path)}).api_key`)})`
  const address = `${url}/api/v1/agents/guide/runs?wait=30`
  return `curl -s "${address}" -H "authorization: Bearer ${key}" -H "content-type: application/json" -d '{"input": "Which book is about clouds?"}'`
}

/** Relative where it is inside the folder, else as it is. */
export function shortPath(folder: string, path: string): string {
  const short = relative(folder, path)
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short
}

function word(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
