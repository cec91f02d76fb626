// Which driver a run has, by its kind.

import { driveRun } from './agent/drive.ts'
import type { RunRow } from './journal/run-store.ts'
import type { DriveRun } from './run-handler.ts'
import { driveWorkflow } from './workflow/drive-workflow.ts'

const DRIVERS: Readonly<Partial<Record<RunRow['kind'], DriveRun>>> = {
  agent: driveRun,
  workflow: driveWorkflow,
}

/** The kinds of runs that this program can drive; the jobs that drive them have the same kinds. */
export const RUN_KINDS = Object.keys(DRIVERS)

export const driveByKind: DriveRun = (deps, run, job, interruption) => {
  const drive = DRIVERS[run.kind]
  if (drive === undefined) throw new Error(`There is no driver for runs of the kind "${run.kind}".`)
  return drive(deps, run, job, interruption)
}
