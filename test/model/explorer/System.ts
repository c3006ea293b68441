/**
 * A transition system, as the explorer walks it: one initial state, all that can happen next, and what must never be.
 * States are plain immutable data of a fixed size once packed, so that a frontier is bytes and not objects.
 */

/** The numbers of one state, in a fixed order, each 0 to 255. */
export interface Packer {
  readonly put: (value: number) => void
}

export interface Unpacker {
  readonly take: () => number
}

/** `says` is the sentence of a trace: who does what. */
export type Emit<State> = (says: string, next: State) => void

export interface System<State> {
  readonly initial: State
  /** Everything that can happen in `state`, always in the same order. */
  readonly next: (state: State, emit: Emit<State>) => void
  /** What is wrong in this state, as a sentence. */
  readonly violated: (state: State) => string | undefined
  readonly pack: (state: State, packer: Packer) => void
  readonly unpack: (unpacker: Unpacker) => State
}
