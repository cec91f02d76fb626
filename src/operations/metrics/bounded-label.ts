// Values of a label that come from users are counted: after a limit, further ones share one name, so that series stay few.

const OTHER = 'other'

/** A function that lets through the first `max` different texts and turns the rest into `other`. */
export function createBoundedLabel(max: number): (text: string) => string {
  const seen = new Set<string>()
  return (text) => {
    if (seen.has(text)) return text
    if (seen.size >= max) return OTHER
    seen.add(text)
    return text
  }
}
