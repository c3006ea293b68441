/**
 * The environment of both processes, decoded once at start. A wrong value stops the process at once, with the name, the
 * value and what was expected.
 */
import { Config, Effect, Option, Result, Schema } from "effect"
import * as Address from "../domain/Address.ts"
import * as FailoverTimes from "../domain/FailoverTimes.ts"

export class EnvironmentError extends Schema.TaggedError<EnvironmentError>()("EnvironmentError", {
  message: Schema.String
}) {}

const refuse = (name: string, value: string, expected: string): Effect.Effect<never, EnvironmentError> =>
  Effect.fail(new EnvironmentError({ message: `${name} is "${value}": expected ${expected}.` }))

/** Empty counts as absent: a chart writes `""` where nothing was set. */
const text = (name: string): Effect.Effect<string | undefined> =>
  Config.option(Config.String(name)).pipe(
    Effect.map((value) => {
      const trimmed = Option.getOrUndefined(value)?.trim()
      return trimmed === "" ? undefined : trimmed
    }),
    Effect.orElseSucceed(() => undefined)
  )

export const required = Effect.fnUntraced(function* (name: string, meaning: string) {
  const value = yield* text(name)
  if (value === undefined) {
    return yield* new EnvironmentError({ message: `${name} is not set: it must hold ${meaning}.` })
  }
  return value
})

export const optional = (name: string, fallback: string): Effect.Effect<string> =>
  Effect.map(text(name), (value) => value ?? fallback)

const booleans: { readonly [text: string]: boolean } = { true: true, "1": true, false: false, "0": false }

export const flag = Effect.fnUntraced(function* (name: string, fallback: boolean) {
  const value = yield* text(name)
  if (value === undefined) return fallback
  return booleans[value.toLowerCase()] ?? (yield* refuse(name, value, "true or false"))
})

export const port = Effect.fnUntraced(function* (name: string, fallback: number) {
  const value = yield* text(name)
  if (value === undefined) return fallback
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0
  return number >= 1 && number <= 65_535 ? number : yield* refuse(name, value, "a port between 1 and 65535")
})

const isProfile = (value: string): value is FailoverTimes.Profile => Object.hasOwn(FailoverTimes.profiles, value)

/** Each in place of the profile's; the chart has them under `failover`, by these names. */
const singleTimes: { readonly [F in keyof FailoverTimes.FailoverTimes]: string } = {
  serveMillis: "FAILOVER_SERVE_MILLIS",
  ticketMillis: "FAILOVER_TICKET_MILLIS",
  renewMillis: "FAILOVER_RENEW_MILLIS",
  quietMillis: "FAILOVER_QUIET_MILLIS"
}

const millis = Effect.fnUntraced(function* (name: string, fallback: number) {
  const value = yield* text(name)
  if (value === undefined) return fallback
  return /^[1-9]\d{0,6}$/.test(value)
    ? Number(value)
    : yield* refuse(name, value, "milliseconds, a whole number above 0")
})

/** `FAILOVER_PROFILE` and single values in place of its own, the same for controller and operators. */
export const profile = Effect.gen(function* () {
  const value = yield* optional("FAILOVER_PROFILE", "default")
  if (!isProfile(value)) {
    return yield* refuse("FAILOVER_PROFILE", value, Object.keys(FailoverTimes.profiles).join(", "))
  }
  const own = FailoverTimes.profiles[value]
  const times: FailoverTimes.FailoverTimes = {
    serveMillis: yield* millis(singleTimes.serveMillis, own.serveMillis),
    ticketMillis: yield* millis(singleTimes.ticketMillis, own.ticketMillis),
    renewMillis: yield* millis(singleTimes.renewMillis, own.renewMillis),
    quietMillis: yield* millis(singleTimes.quietMillis, own.quietMillis)
  }
  const leader = FailoverTimes.leaderTimes[value]
  const [problem] = [...FailoverTimes.check(times), ...FailoverTimes.checkLeader(times, leader)]
  if (problem !== undefined) return yield* new EnvironmentError({ message: `failover.${problem.message}` })
  return { times, leader }
})

/** `WITNESS`, the same for controller and operators. */
export const witness = Effect.gen(function* () {
  const value = yield* optional("WITNESS", "on")
  return value === "on" || value === "off" ? value === "on" : yield* refuse("WITNESS", value, "on or off")
})

export const addressList = Effect.fnUntraced(function* (name: string) {
  const addresses: Array<Address.Address> = []
  for (const each of (yield* optional(name, "")).split(",")) {
    if (each.trim() === "") continue
    const parsed = Address.parse(each.trim())
    if (Result.isFailure(parsed)) return yield* refuse(name, each, "a comma list of addresses")
    addresses.push(parsed.success)
  }
  return addresses
})

const levels = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"] as const

/** `LOG_LEVEL`, in any case. */
export const logLevel = Effect.gen(function* () {
  const value = yield* optional("LOG_LEVEL", "info")
  const level = levels.find((each) => each.toLowerCase() === value.toLowerCase().replace(/^warning$/, "warn"))
  return level ?? (yield* refuse("LOG_LEVEL", value, levels.join(", ").toLowerCase()))
})
