// Deployment profiles: the kinds of places where the product runs, and what each place decides.

export const PROFILE_NAMES = ['LOCAL_DEV', 'DOCKER_MONOLITH', 'KUBERNETES'] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

/** Profiles of the product's plan whose parts this release does not have. */
export const FUTURE_PROFILE_NAMES: readonly string[] = ['SERVERLESS_API', 'EDGE_RUNNER']

export interface Profile {
  readonly name: ProfileName
  /** A file `.env` in the working folder is read. */
  readonly readsEnvFile: boolean
  /** The first admin's key is written to `credentials.json` in the data folder. */
  readonly writesCredentials: boolean
  /** Pending migrations are applied at start; elsewhere `agent-factory db migrate` does it before. */
  readonly migratesAtStart: boolean
  /** Several processes may share the database, so that the default file of one process would mislead. */
  readonly needsDatabaseUrl: boolean
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  LOCAL_DEV: {
    name: 'LOCAL_DEV',
    readsEnvFile: true,
    writesCredentials: true,
    migratesAtStart: true,
    needsDatabaseUrl: false,
  },
  DOCKER_MONOLITH: {
    name: 'DOCKER_MONOLITH',
    readsEnvFile: false,
    writesCredentials: false,
    migratesAtStart: true,
    needsDatabaseUrl: false,
  },
  KUBERNETES: {
    name: 'KUBERNETES',
    readsEnvFile: false,
    writesCredentials: false,
    migratesAtStart: false,
    needsDatabaseUrl: true,
  },
}

/** The profile of a text, or undefined where this release has none of that name. */
export function parseProfile(text: string): Profile | undefined {
  const name = PROFILE_NAMES.find((known) => known === text)
  return name === undefined ? undefined : PROFILES[name]
}
