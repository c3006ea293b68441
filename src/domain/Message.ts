/** Sentences that quote what users wrote, which may be of any length. */

/**
 * The API server takes 32 kB as the message of a condition, of an IPAllocation and of a Service, and refuses what is longer
 * for ever: nobody would be told anything. In UTF-8 this is less than half of that.
 */
const LENGTH_MAX = 4_000

/** Stored as another character by the API server, they would be written again and again. */
const halfCharacters = /\p{Surrogate}/gu

/** Without its middle: what it is about stands at the beginning, and what to do at the end. */
export const inShort = (message: string, max: number = LENGTH_MAX): string => {
  if (message.length <= max) return message
  const half = Math.floor((max - 3) / 2)
  return `${message.slice(0, half)} … ${message.slice(-half)}`.replaceAll(halfCharacters, "")
}

export const withShortMessage = <A extends { readonly message: string }>(told: A): A => ({
  ...told,
  message: inShort(told.message)
})
