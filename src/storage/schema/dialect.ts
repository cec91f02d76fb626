/** The two databases that one SQL text is written for. */
export type Dialect = 'sqlite' | 'postgres'
