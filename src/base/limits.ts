// Limits that more than one part needs. A limit of one part is a constant beside that part.

/** The largest request body that the API reads, in bytes. */
export const BODY_BYTES_MAX = 1_048_576
/** How deep arrays and objects may nest in any JSON that comes from outside. */
export const JSON_DEPTH_MAX = 64
/** How many values (numbers, texts, arrays, objects …) one JSON document from outside may hold. */
export const JSON_NODES_MAX = 100_000
export const PAGE_SIZE_DEFAULT = 50
export const PAGE_SIZE_MAX = 200
export const NAME_CHARS_MAX = 64
export const DESCRIPTION_CHARS_MAX = 4_096
/** The largest output of a tool that enters a run, in bytes of JSON. A larger one fails the call. */
export const TOOL_OUTPUT_BYTES_MAX = 262_144
/** How deep agents may call agents. */
export const AGENT_DEPTH_MAX = 5
