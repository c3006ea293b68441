/**
 * Forgets tracked UDP flows, by `conntrack`. One process for each address, one after the other, under one shell: reading commands
 * from stdin (`-R`) knows IPv4 only (measured, 1.4.7). Each reads all flows of the node, and mostly there is none to the address: of
 * more than a few, those are looked up first to which there is one.
 */
import { Effect } from "effect"
import { type Address, familyOf } from "../../domain/Address.ts"
import { run, type Reason, type Toolbox } from "./Tool.ts"

/** So many for each shell, which must be done within the time that a tool has: 60 to 70 ms each on a busy machine (measured). */
const batchMax = 20

/**
 * Deleting ends with 1 when there is nothing to forget, and says so; anything else that it says is a failure. A list that does not
 * end as it should says nothing: then each is tried, and says what is wrong.
 */
const script = `
  tool=$1 family=$2 list=
  shift 2
  if [ $# -gt 2 ]; then
    list=$("$tool" -L -f "$family" -p udp 2>&1 | grep -oE "dst=[^ ]*|have been shown" | sort -u | tr "\\n" " ")
  fi
  for address; do
    case $list in
      *"dst=$address "*) ;;
      *"have been shown"*) continue;;
    esac
    said=$("$tool" -D -f "$family" -p udp -d "$address" 2>&1 >/dev/null) && continue
    case $said in
      *"0 flow entries have been deleted"*) ;;
      *) printf "%s\\n" "$said" >&2; exit 1;;
    esac
  done`

export const forget = (toolbox: Toolbox, addresses: ReadonlyArray<Address>): Effect.Effect<void, Reason> =>
  Effect.forEach(
    (["IPv4", "IPv6"] as const).flatMap((family) => {
      const all = addresses.filter((address) => familyOf(address) === family)
      const batches = Array.from({ length: Math.ceil(all.length / batchMax) }, (_, index) =>
        all.slice(index * batchMax, (index + 1) * batchMax)
      )
      return batches.map((batch) => ({ family: family.toLowerCase(), batch }))
    }),
    ({ batch, family }) => run(toolbox, "sh", ["-c", script, "sh", toolbox.conntrack, family, ...batch]),
    { discard: true }
  )
