// The wire protocols that the AI SDK speaks for us. A provider is a protocol with an address.

/** `chat` is OpenAI's chat completions, which every OpenAI-compatible server speaks. */
export type Protocol = 'chat' | 'responses' | 'anthropic' | 'google'
