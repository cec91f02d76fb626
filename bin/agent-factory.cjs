#!/usr/bin/env node
// The command `agent-factory`: from source in a checkout, from dist/ in the published package.
'use strict'

const fs = require('node:fs')
const { enableCompileCache } = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const MAJOR_MIN = 24
const source = path.join(__dirname, '..', 'src', 'cli', 'main.ts')
const built = path.join(__dirname, '..', 'dist', 'cli', 'main.js')

if (fs.existsSync(source)) {
  const args = process.argv.slice(2)
  // A server rests in less memory where its young generation stays small; other commands end before it matters.
  const flags = args[0] === 'serve' || args[0] === 'dev' ? ['--max-semi-space-size=4'] : []
  require('../scripts/run.cjs').runNode(flags.concat(source, args))
} else if (Number.parseInt(process.versions.node, 10) < MAJOR_MIN) {
  stop(`needs Node ${MAJOR_MIN} or newer; this is ${process.versions.node}. See https://nodejs.org`)
} else {
  // Where the package's folder is not ours to write to, Node does without.
  enableCompileCache(path.join(__dirname, '..', 'node_modules', '.cache', 'agent-factory'))
  import(pathToFileURL(built).href).catch((error) => stop(error.stack || String(error)))
}

function stop(message) {
  process.stderr.write(`agent-factory: ${message}\n`)
  process.exitCode = 1
}
