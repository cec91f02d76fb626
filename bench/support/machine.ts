// The machine in one line, for the head of a table: figures mean little without it.

import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

const GIB = 2 ** 30

export function machineLine(rounds: number): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const parts = [
    `${availableParallelism()} × ${model}`,
    `${Math.round(totalmem() / GIB)} GiB`,
    `${process.platform} ${process.arch}`,
    `Node ${process.versions.node}`,
    `SQLite ${process.versions.sqlite}`,
    new Date().toISOString().slice(0, 10),
    `medians of ${rounds} rounds`,
    `load average before ${(loadavg()[0] ?? 0).toFixed(1)}`,
  ]
  return parts.join(' · ')
}
