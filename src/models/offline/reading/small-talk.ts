// Messages that ask nothing: greetings, thanks, "help". Pure.

export type SmallTalk = 'greeting' | 'thanks' | 'farewell'

const THANKS =
  /^(?:many )?(?:thanks|thank you|thx|cheers|danke|merci|gracias|grazie|obrigad[oa])(?:\s+(?:a lot|so much|very much|again|for \w[\w ]{0,30}))?$/i
const FAREWELL = /^(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|good night|ciao|adios|tschüss)$/i
/** Greetings of many languages, and questions about the model itself. */
const GREETING = new RegExp(
  `^(?:${[
    '(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day))(?: there| all| everyone| team)?',
    'hola|bonjour|salut|hallo|guten (?:tag|morgen|abend)|olá|привет|你好|您好|こんにちは|안녕하세요|مرحبا|नमस्ते|merhaba',
    "how are you(?: doing)?|what['’]?s up",
    '(?:who|what) are you|what can you do(?: for me)?|what do you do|how can you help(?: me)?',
    '(?:please )?help(?: me)?(?: please)?|test|testing|ping',
  ].join('|')})$`,
  'i',
)

export function smallTalk(message: string): SmallTalk | undefined {
  const plain = message.replace(/^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$/gu, '').replace(/[,\s]+/g, ' ')
  if (THANKS.test(plain)) return 'thanks'
  if (FAREWELL.test(plain)) return 'farewell'
  return GREETING.test(plain) ? 'greeting' : undefined
}
