import { formatTime } from '../../base/time.ts'
import type { Project as ProjectResource } from '../../contract/project.ts'
import type { Project } from '../../identity/project.ts'

export function projectView({ id, name, state, createdBy, createdAt, updatedAt }: Project): ProjectResource {
  return { id, name, state, createdBy, createdAt: formatTime(createdAt), updatedAt: formatTime(updatedAt) }
}
