import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import * as Environment from "../../../src/cli/Environment.ts"

const withEnv = <A, E>(effect: Effect.Effect<A, E>, env: { readonly [name: string]: string }) =>
  Effect.runSync(
    Effect.result(effect).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { ...env } }))
    )
  )

const sentence = <A>(
  effect: Effect.Effect<A, Environment.EnvironmentError>,
  env: { readonly [name: string]: string }
) => {
  const result = withEnv(effect, env)
  return result._tag === "Failure" ? result.failure.message : "accepted"
}
const value = <A, E>(effect: Effect.Effect<A, E>, env: { readonly [name: string]: string }) => {
  const result = withEnv(effect, env)
  return result._tag === "Success" ? result.success : "refused"
}

describe("Environment refuses with a sentence", () => {
  const port = Environment.port("HEALTH_PORT", 8080)
  const flag = Environment.flag("DEFAULT_LOAD_BALANCER", true)
  // oxfmt-ignore
  it.each<[string, Effect.Effect<unknown, Environment.EnvironmentError>, { readonly [name: string]: string }, string]>([
    ["a port that is a word",         port,                                             { HEALTH_PORT: "http" },          'HEALTH_PORT is "http": expected a port between 1 and 65535.'],
    ["port 0",                        port,                                             { HEALTH_PORT: "0" },             'HEALTH_PORT is "0": expected a port between 1 and 65535.'],
    ["a port beyond the last",        port,                                             { HEALTH_PORT: "65536" },         'HEALTH_PORT is "65536": expected a port between 1 and 65535.'],
    ["a negative port",               port,                                             { HEALTH_PORT: "-1" },            'HEALTH_PORT is "-1": expected a port between 1 and 65535.'],
    ["a port with a unit",            port,                                             { HEALTH_PORT: "80s" },           'HEALTH_PORT is "80s": expected a port between 1 and 65535.'],
    ["a flag that is neither",        flag,                                             { DEFAULT_LOAD_BALANCER: "yes" }, 'DEFAULT_LOAD_BALANCER is "yes": expected true or false.'],
    ["a profile that there is not",   Environment.profile,                              { FAILOVER_PROFILE: "faster" },   'FAILOVER_PROFILE is "faster": expected default, fast, relaxed.'],
    ["a word of every object",        Environment.profile,                              { FAILOVER_PROFILE: "toString" }, 'FAILOVER_PROFILE is "toString": expected default, fast, relaxed.'],
    ["a time with a unit",            Environment.profile,                              { FAILOVER_SERVE_MILLIS: "5s" },  'FAILOVER_SERVE_MILLIS is "5s": expected milliseconds, a whole number above 0.'],
    ["times that are not safe",       Environment.profile,                              { FAILOVER_SERVE_MILLIS: "6000" }, "failover.quietMillis is 6500: a node that stops renewing may serve longer than that, beside its successor. Raise it to at least 7496, or lower serveMillis (6000)."],
    ["an L too short for the leader", Environment.profile,                              { FAILOVER_SERVE_MILLIS: "2200", FAILOVER_QUIET_MILLIS: "3900" }, "failover.quietMillis is 3900: another controller leads only after 4000. Raise it above that, or set the profile to fast."],
    ["a witness that is neither",     Environment.witness,                              { WITNESS: "constructor" },       'WITNESS is "constructor": expected on or off.'],
    ["a level that there is not",     Environment.logLevel,                             { LOG_LEVEL: "loud" },            'LOG_LEVEL is "loud": expected trace, debug, info, warn, error, fatal.'],
    ["a name that must be set",       Environment.required("MY_NODE_NAME", "the name of the Node"), {},                   "MY_NODE_NAME is not set: it must hold the name of the Node."],
    ["a name that is blank",          Environment.required("MY_NODE_NAME", "the name of the Node"), { MY_NODE_NAME: " " }, "MY_NODE_NAME is not set: it must hold the name of the Node."],
    ["an address that is none",       Environment.addressList("MY_NODE_IPS"),           { MY_NODE_IPS: "10.0.0.1,x" },    'MY_NODE_IPS is "x": expected a comma list of addresses.']
  ])("%s", (_, effect, env, expected) => {
    assert.strictEqual(sentence(effect, env), expected)
  })
})

describe("Environment accepts", () => {
  // oxfmt-ignore
  it.each<[string, Effect.Effect<unknown, Environment.EnvironmentError>, { readonly [name: string]: string }, unknown]>([
    ["nothing, where there is a default",  Environment.port("HEALTH_PORT", 8080),      {},                               8080],
    ["an empty text as nothing",           Environment.port("HEALTH_PORT", 8080),      { HEALTH_PORT: "" },              8080],
    ["a port",                             Environment.port("HEALTH_PORT", 8080),      { HEALTH_PORT: "9090" },          9090],
    ["a flag in capitals",                 Environment.flag("FLAG", true),             { FLAG: "FALSE" },                false],
    ["a flag as a number",                 Environment.flag("FLAG", false),            { FLAG: "1" },                    true],
    ["single times in place of the profile's", Effect.map(Environment.profile, ({ times }) => times), { FAILOVER_PROFILE: "fast", FAILOVER_QUIET_MILLIS: "3500" }, { serveMillis: 2200, ticketMillis: 250, renewMillis: 500, quietMillis: 3500 }],
    ["voters unless said otherwise",       Environment.witness,                        {},                               true],
    ["no voters",                          Environment.witness,                        { WITNESS: "off" },               false],
    ["a level in any case",                Environment.logLevel,                       { LOG_LEVEL: "Warning" },         "Warn"],
    ["addresses of both families, blanks", Environment.addressList("MY_NODE_IPS"),     { MY_NODE_IPS: "10.0.0.1, 2001:DB8::1," }, ["10.0.0.1", "2001:db8::1"]]
  ])("%s", (_, effect, env, expected) => {
    assert.deepStrictEqual(value(effect, env), expected)
  })
})
