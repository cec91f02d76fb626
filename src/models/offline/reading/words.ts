// Words: how the offline model compares texts. Pure and deterministic.

/** Words that say nothing about the subject of a question. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an the this that these those and or but nor so of in on at by for from to into onto with without about as than then ' +
    'is are was were be been being am do does did done has have had having will would shall should can could may might must ' +
    'i me my mine you your yours he him his she her hers it its we us our ours they them their theirs one ones ' +
    'what whats which who whom whose when where why how there here please tell show give say says said want wants need needs ' +
    'know let lets like just also too very really some any all each every much many more most other such no not only own same ' +
    'if else because while until again get gets got go goes going use uses used using make makes made if s t re ve ll d m ' +
    'hey hi hello ok okay thanks thank work works happen happens mean means now yet already still even ever another try anything something everything ' +
    // As they are mistyped most.
    'waht wat wht wich whcih wihch hwo teh wehn whne whre ist dose'
  ).split(' '),
)

/** The words of a text in lower case, without accents: `getOrder-status` gives get, order, status. */
export function words(text: string): readonly string[] {
  const plain = text
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  return plain.match(/[\p{L}\p{N}]+/gu) ?? []
}

/** The stems of the words that matter, each once, in order. */
export function contentStems(text: string): readonly string[] {
  const stems = new Set<string>()
  for (const word of words(text)) if (!STOP_WORDS.has(word)) stems.add(stem(word))
  return [...stems]
}

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word)
}

const ENDINGS: readonly (readonly [ending: string, minLength: number, replacement: string])[] = [
  ['ations', 8, ''],
  ['ation', 8, ''],
  ['ating', 8, ''],
  ['ators', 8, ''],
  ['ator', 8, ''],
  ['ates', 8, ''],
  ['ated', 8, ''],
  ['ate', 8, ''],
  ['sses', 5, 'ss'],
  ['ies', 5, 'y'],
  ['ied', 5, 'y'],
  ['xes', 4, 'x'],
  ['ches', 5, 'ch'],
  ['shes', 5, 'sh'],
  ['ings', 6, ''],
  ['ing', 6, ''],
  ['edly', 7, ''],
  ['ed', 5, ''],
  ['ly', 6, ''],
  ['s', 4, ''],
]

/** Forms that no rule finds. */
const IRREGULAR: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'sent:send kept:keep written:write wrote:write ran:run began:begin begun:begin built:build found:find lost:lose paid:pay ' +
    'chosen:choose chose:choose held:hold told:tell left:leave bought:buy sold:sell given:give gave:give taken:take took:take ' +
    'broken:break broke:break shown:show known:know knew:know hidden:hide spent:spend thrown:throw'
  )
    .split(' ')
    .map((pair) => pair.split(':')),
)

/** A light stemmer for English: enough to find `install` in `installing`, `installed` and `installation`. */
export function stem(form: string): string {
  const word = (Object.hasOwn(IRREGULAR, form) ? IRREGULAR[form] : undefined) ?? form
  let base = word
  for (const [ending, minLength, replacement] of ENDINGS) {
    if (word.length < minLength || !word.endsWith(ending)) continue
    if (ending === 's' && /(?:ss|us|is)$/.test(word)) continue
    base = word.slice(0, word.length - ending.length) + replacement
    break
  }
  // running → runn → run; configure, configuring → configur
  if (base !== word && /([bdgmnprt])\1$/.test(base)) base = base.slice(0, -1)
  return base.length > 4 && base.endsWith('e') ? base.slice(0, -1) : base
}

/** Groups of words that people use for one another, as stems. */
const RELATED: readonly (readonly string[])[] = [
  'weather forecast temperature rain raining rainy sunny warm cold hot wind windy cloudy storm snow umbrella degrees humid humidity',
  'time clock hour today date day',
  'calculate calculator compute evaluate arithmetic math sum plus minus multiply divide percent',
  'order purchase package parcel shipment delivery shipped ship deliver track arrive arrival',
  'docs documentation document guide manual readme handbook article knowledge',
  'search find look lookup query',
  'price cost amount total charge fee rate',
  'customer client buyer user account',
  'refund reimburse return',
  'cancel abort stop revoke',
  'delete remove erase',
  'create add new open register',
  'update change edit modify',
  'send mail email message notify',
  'exchange currency convert conversion dollar euro pound yen usd eur gbp jpy chf',
  'status state progress',
  'stock inventory available availability',
  'news headline',
  'translate translation',
].map((group) => [...new Set(words(group).map(stem))])

const related = new Map<string, readonly string[]>()
for (const group of RELATED) {
  for (const word of group)
    related.set(word, [...(related.get(word) ?? []), ...group.filter((other) => other !== word)])
}

/** Stems of related words. */
export function relatedStems(stemmed: string): readonly string[] {
  return related.get(stemmed) ?? []
}
