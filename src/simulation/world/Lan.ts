/**
 * How the machines reach each other's operators: over the segment, by the address of the machine, on the health port. What
 * a machine cannot hear or say there gets lost in silence; a program that is dead or stopped answers nothing.
 */
import { Effect } from "effect"
import { once } from "../../api/Once.ts"
import { type Secret, secrets } from "../../api/Secret.ts"
import { witnessKey, witnessSecretName } from "../../api/Names.ts"
import { keyOf, type WitnessKey } from "../../api/WitnessMessage.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import * as MemoryPeers from "../../memory/peers/MemoryPeers.ts"
import type { Peers, Respond } from "../../ports/Peers.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Prng } from "../kernel/Prng.ts"
import type { Process } from "../kernel/Process.ts"
import type { Host } from "./Host.ts"
import { ownNamespace } from "./Installation.ts"

export const healthPort = 8080

/** Milliseconds between two machines of one segment, with what their programs do before they see it. */
const latencyMillisMax = 3

const keyIn = once((secret: Secret) => keyOf(atob(secret.data?.[witnessKey] ?? "")))

interface Voter {
  readonly host: Host
  readonly process: Process
}

export class Lan {
  private readonly memory = MemoryPeers.make()
  private readonly voters = new Map<string, Voter>()
  private readonly api: MemoryKubernetes
  private readonly random: Prng

  constructor(api: MemoryKubernetes, kernel: Kernel) {
    this.api = api
    this.random = kernel.random.fork("lan")
  }

  /** What the kubelet has mounted of the voters' Secret. */
  readonly key: Effect.Effect<WitnessKey | undefined> = Effect.sync(() => {
    const secret = this.api.truth.get(secrets, { namespace: ownNamespace, name: witnessSecretName })
    return secret && keyIn(secret)
  })

  /** Whether no program of the machine has the health port. */
  isFree({ address }: Host): boolean {
    return this.voters.get(address)?.process.isAlive !== true
  }

  listen(host: Host, process: Process, respond: Respond): void {
    const peer = { host: host.address, port: healthPort }
    this.memory.close(peer)
    this.memory.listen(peer, respond)
    this.voters.set(host.address, { host, process })
  }

  /** The network as a program has it; controllers, which have a machine of their own, reach every voter that is reached. */
  peersFor(sender: Process, from?: Host): Peers["Service"] {
    return this.memory.peers(({ host }, respond) =>
      Effect.callback<string | undefined>((resume) => {
        const voter = this.voters.get(host)
        if (voter === undefined) return
        const arriving = Effect.suspend(() => (passes(from, voter.host) ? respond : Effect.never))
        const way = Effect.sleep(this.random.between(1, latencyMillisMax))
        Effect.runForkWith(voter.process.context)(Effect.andThen(way, arriving)).addObserver((exit) => {
          // Through a timer of the asker's own, which a stopped process does not hear.
          if (sender.isAlive && passes(voter.host, from)) resume(Effect.andThen(Effect.sleep(1), exit))
        })
      })
    )
  }
}

const passes = (from: Host | undefined, to: Host | undefined): boolean =>
  (from?.announces ?? true) && (to?.hears ?? true)
