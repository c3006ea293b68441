/** Cheap hashes of text, for draws that must come out alike everywhere: no secret and no name depends on them. */

/** FNV-1a over UTF-16 code units; `basis` continues an earlier hash. */
export const hash32 = (text: string, basis = 0x811c_9dc5): number => {
  let hash = basis
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  return hash >>> 0
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the output's, also where two names differ in one digit. */
export const mixed = (hash: number): number => {
  let mix = hash ^ (hash >>> 16)
  mix = Math.imul(mix, 0x85eb_ca6b)
  mix ^= mix >>> 13
  mix = Math.imul(mix, 0xc2b2_ae35)
  return (mix ^ (mix >>> 16)) >>> 0
}
