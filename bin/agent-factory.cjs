#!/usr/bin/env node
// The command `agent-factory`: from source in a checkout, from dist/ in the published package.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const MAJOR_MIN = 24
const source = path.join(__dirname, '..', 'src', 'cli', 'main.ts')
const built = path.join(__dirname, '..', 'dist', 'cli', 'main.js')

if (fs.existsSync(source)) {
  require('../scripts/run.cjs').runNode([source].concat(process.argv.slice(2)))
} else if (Number.parseInt(process.versions.node, 10) < MAJOR_MIN) {
  stop(`needs Node ${MAJOR_MIN} or newer; this is ${process.versions.node}. See https://nodejs.org`)
} else {
  import(pathToFileURL(built).href).catch((error) => stop(error.stack || String(error)))
}

function stop(message) {
  process.stderr.write(`agent-factory: ${message}\n`)
  process.exitCode = 1
}
