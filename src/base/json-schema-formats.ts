// The formats of JSON Schema that are enforced. Any other `format` is a remark.

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:z|([+-])(\d{2}):(\d{2}))$/i
const DURATION =
  /^P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?|T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))$/
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const URI_CHARS = /^[\w.~!$&'()*+,;=:@/?#[\]%-]*$/
const SCHEME = /^[a-z][a-z0-9+.-]*:/i
const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/
const EMAIL_CHARS_MAX = 254
const FORMAT_CHARS_MAX = 8_192

/** What a text of each format looks like, for people, and the test. All tests take linear time. */
const FORMATS: Readonly<Record<string, { readonly example: string; test(text: string): boolean }>> = {
  date: { example: '2026-01-31', test: isDate },
  time: { example: '13:45:00Z', test: isTime },
  'date-time': { example: '2026-01-31T13:45:00Z', test: isDateTime },
  duration: { example: 'P3DT4H', test: (text) => DURATION.test(text) },
  email: { example: 'ada@example.com', test: isEmail },
  hostname: { example: 'www.example.com', test: isHostname },
  ipv4: { example: '192.0.2.1', test: (text) => IPV4.test(text) && !text.endsWith('.') },
  ipv6: { example: '2001:db8::1', test: isIpv6 },
  uri: { example: 'https://example.com/a', test: (text) => SCHEME.test(text) && isUriReference(text) },
  'uri-reference': { example: '/a?b=c', test: isUriReference },
  uuid: { example: '123e4567-e89b-12d3-a456-426614174000', test: (text) => UUID.test(text) },
  regex: { example: '^[a-z]+$', test: isRegExp },
  'json-pointer': { example: '/a/0', test: (text) => POINTER.test(text) },
}

export function formatOf(
  name: string,
): { readonly example: string; test(text: string): boolean } | undefined {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format === undefined) return undefined
  return { example: format.example, test: (text) => text.length <= FORMAT_CHARS_MAX && format.test(text) }
}

function isDate(text: string): boolean {
  const match = DATE.exec(text)
  if (match === null) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31)
}

/** RFC 3339 `full-time`. A second 60 is right only at the end of a day in UTC. */
function isTime(text: string): boolean {
  const match = TIME.exec(text)
  if (match === null) return false
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const [offsetHour, offsetMinute] = [Number(match[5] ?? 0), Number(match[6] ?? 0)]
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false
  if (second < 60) return true
  const offset = (offsetHour * 60 + offsetMinute) * (match[4] === '-' ? -1 : 1)
  return (hour * 60 + minute - offset + 2_880) % 1_440 === 1_439
}

function isDateTime(text: string): boolean {
  return /^.{10}t/i.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  const name = text.slice(0, at)
  if (at < 1 || at > 64 || text.length > EMAIL_CHARS_MAX || !isHostname(text.slice(at + 1))) return false
  return /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+$/i.test(name) && !/^\.|\.\.|\.$/.test(name)
}

function isHostname(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => HOST_LABEL.test(label))
}

function isIpv6(text: string): boolean {
  return text.length <= 45 && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`)
}

function isUriReference(text: string): boolean {
  if (!URI_CHARS.test(text) || /%(?![0-9a-f]{2})/i.test(text)) return false
  return URL.canParse(text, 'https://example.com/')
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}
