// CSV as RFC 4180 has it, safe to open in a spreadsheet: no cell of a user's text is ever read as a formula.

/** What a spreadsheet would take for a formula (owasp.org/www-community/attacks/CSV_Injection). */
const FORMULA = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/
const AMOUNT = /^-?\d+(\.\d+)?$/
const QUOTED = /[",\r\n\t']/

/** Rows with CRLF after each. A text that begins like a formula gets an apostrophe before it; a plain number never. */
export function printCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')
}

function cellOf(text: string): string {
  const safe = FORMULA.test(text) && !AMOUNT.test(text) ? `'${text}` : text
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
