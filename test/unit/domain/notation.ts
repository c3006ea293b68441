/**
 * Entries and acknowledgements as short words. `a@n1.3<n2.2` is address a, held by node n1 at epoch 3 after n2 at epoch 2;
 * `a@n1` is what v0.4 wrote; `~a` stands in a pool without interface, `^a` is of a cloud, `?a` is to be asked for before its
 * first use, `=a` was served by a holder before. `a+n1.3` says serving, `a-n1.3` released, `a*n1.3` in use by a foreign machine. A hold id is 1.n1 for node n1.
 */
import type * as Hold from "../../../src/domain/Hold.ts"
import { address } from "./arbitraries.ts"

export const addressOf = (letter: string) => address(`192.0.2.${letter.charCodeAt(0) - "a".charCodeAt(0) + 1}`)

/** Renders addresses as letters again. */
export const brief = (text: string): string =>
  text.replaceAll(/192\.0\.2\.(\d+)/g, (_, octet: string) =>
    String.fromCodePoint("a".charCodeAt(0) + Number(octet) - 1)
  )

export const holder = (text: string): Hold.Holder => {
  const [node = "", epoch = ""] = text.split(".")
  return { node, holdId: `1.${node}`, epoch: Number(epoch) }
}

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((word) => word !== "")

const entry = (word: string): Hold.Entry => {
  const [present = "", ...previous] = word.split("<")
  const [letter = "", held] = present.split("@")
  const ofCloud = letter.startsWith("^") ? { cloudProvider: "hetzner" } : {}
  const address = addressOf(letter.replace(/[~^?=]/, ""))
  const probed = letter.startsWith("?") ? ({ probe: true } as const) : {}
  const served = letter.startsWith("=") ? ({ served: true } as const) : {}
  const base = { address, pool: "rack-1", previous: previous.map(holder), ...ofCloud, ...probed, ...served }
  const onInterface = letter.startsWith("~") ? base : { ...base, interfaceName: "pl0" }
  if (held === undefined) return onInterface
  return held.includes(".") ? { ...onInterface, ...holder(held) } : { ...onInterface, node: held }
}

export const foreignMac = "02:00:00:00:00:99"

const acknowledgement = (word: string): Hold.Acknowledgement => {
  const [letter = "", who = ""] = word.split(/[+*-]/)
  const said = { ...holder(who), address: addressOf(letter) }
  if (word.includes("*")) return { ...said, phase: "InUse", mac: foreignMac }
  return { ...said, phase: word.includes("+") ? "Serving" : "Released" }
}

export const entries = (text: string): ReadonlyArray<Hold.Entry> => words(text).map(entry)
export const acknowledgements = (text: string): ReadonlyArray<Hold.Acknowledgement> => words(text).map(acknowledgement)
export const addresses = (text: string) => words(text).map(addressOf)

export const writeHolder = ({ epoch, node }: Hold.Holder): string => `${node}.${epoch}`
export const writeEntry = (entry: Hold.Entry): string => {
  const { address, cloudProvider, epoch, interfaceName, node, previous, probe, served } = entry
  const mark = `${cloudProvider === undefined ? "" : "^"}${probe === true ? "?" : ""}${served === true ? "=" : ""}`
  const letter = `${interfaceName === undefined ? "~" : mark}${brief(address)}`
  const held = node === undefined ? "" : `@${node}${epoch === undefined ? "" : `.${epoch}`}`
  return `${letter}${held}${previous.map((each) => `<${writeHolder(each)}`).join("")}`
}
