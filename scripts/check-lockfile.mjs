// Checks what `npm ci` of a fresh clone depends on, in every package.json with a lockfile beside it:
// all versions exact, every platform's binaries listed, no addresses of a registry, no install scripts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folders = ['.', 'tools/node', ...process.argv.slice(2)]
const complaints = folders.flatMap((folder) => {
  const manifest = readJson(folder, 'package.json')
  const lock = readJson(folder, 'package-lock.json')
  const found = [...inexact(manifest), ...stale(manifest, lock), ...entries(manifest, lock)]
  return found.map((complaint) => `${folder}: ${complaint}`)
})
for (const complaint of complaints) console.error(complaint)
console.log(complaints.length === 0 ? 'Lockfiles complete.' : `${complaints.length} complaints.`)
process.exitCode = complaints.length === 0 ? 0 : 1

/** A range would let two installs of one commit differ. */
function inexact(manifest) {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides']
  return kinds.flatMap((kind) =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version))
      .map(([name, version]) => `${kind}.${name} is "${version}", not an exact version`),
  )
}

/** `npm ci` refuses a lockfile that says something else than package.json. */
function stale(manifest, lock) {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies']
  const sorted = (versions) => JSON.stringify(Object.entries(versions ?? {}).toSorted())
  return kinds
    .filter((kind) => sorted(manifest[kind]) !== sorted(lock.packages[''][kind]))
    .map((kind) => `the lockfile's ${kind} differ from package.json`)
}

function entries(manifest, lock) {
  const places = Object.entries(lock.packages).filter(([place]) => place !== '')
  const own = places.flatMap(([place, entry]) => {
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const found = []
    if (entry.resolved) found.push(`${name} has the address of a registry; see .npmrc`)
    if (!entry.integrity && !entry.link && !entry.inBundle) found.push(`${name} has no checksum`)
    // npm 12 does not run them; a package that needs one would fail there.
    if (entry.hasInstallScript && manifest.allowScripts?.[name] !== false)
      found.push(`${name} has an install script; choose another or set allowScripts to false`)
    return found
  })
  return [...own, ...missingPlatforms(lock)]
}

/** npm can write a lockfile without other platforms' packages; then `npm ci` fails over there. */
function missingPlatforms(lock) {
  return Object.entries(lock.packages).flatMap(([place, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !lookUp(lock, place, name))
      .map((name) => `${name}, optional for ${place || 'the root'}, is not in the lockfile`),
  )
}

/** Finds a package as Node does: beside the one that asks, then in each folder above. */
function lookUp(lock, place, name) {
  for (let from = place; ; ) {
    if (lock.packages[`${from}${from && '/'}node_modules/${name}`]) return true
    if (from === '') return false
    const above = from.lastIndexOf('/node_modules/')
    from = above < 0 ? '' : from.slice(0, above)
  }
}

function readJson(folder, file) {
  return JSON.parse(readFileSync(join(root, folder, file), 'utf8'))
}
