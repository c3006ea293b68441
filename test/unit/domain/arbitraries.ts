/** Generators for the domain's property tests: small spaces on purpose, so that things meet. */
import { Arbitrary, Result, Schema } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import * as AddressRange from "../../../src/domain/AddressRange.ts"

export const int = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

export const boolean = Arbitrary.schema(Schema.Boolean)

export const oneOf = <A extends string>(...words: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.schema(Schema.Literals(words))

/** Any of 2^32 or 2^128, zero segments often. */
export const anyAddress: Arbitrary.Arbitrary<{ readonly family: Address.Family; readonly value: bigint }> =
  Arbitrary.map(
    Arbitrary.all({
      family: oneOf("IPv4", "IPv6"),
      words: Arbitrary.array(Arbitrary.all([boolean, int(0, 0xffff)] as const), { minLength: 8, maxLength: 8 })
    }),
    ({ family, words }) => ({
      family,
      value: BigInt.asUintN(
        Address.widthOf(family),
        words.reduce((sum, [isZero, word]) => (sum << 16n) | BigInt(isZero ? 0 : word), 0n)
      )
    })
  )

/** Around 10.0.0.224 to 10.0.1.31: both sides of a .255/.0 boundary. */
export const nearbyValue: Arbitrary.Arbitrary<bigint> = Arbitrary.map(int(0, 63), (n) => 0x0a0000e0n + BigInt(n))

export const nearbyRange: Arbitrary.Arbitrary<AddressRange.AddressRange> = Arbitrary.map(
  Arbitrary.all({ first: int(0, 63), length: int(0, 20) }),
  ({ first, length }) => ({
    family: "IPv4",
    first: 0x0a0000e0n + BigInt(first),
    last: 0x0a0000e0n + BigInt(Math.min(first + length, 63))
  })
)

export const range = (text: string): AddressRange.AddressRange => Result.getOrThrow(AddressRange.parse(text))
export const address = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

/** The same seed each time, so that a failure is everybody's; `size` well above the default, or most arrays are empty. */
export const options = { arbitrary: { runs: 300, size: 40, seed: 42 } } as const

/** The addresses of a range, one by one: for models only. */
export const enumerate = ({ first, last }: AddressRange.AddressRange): ReadonlyArray<bigint> =>
  Array.from({ length: Number(last - first) + 1 }, (_, n) => first + BigInt(n))
