/** A machine of which somebody knows which server it is, or nobody. */
import { Effect } from "effect"
import { MachineMetadata } from "../../ports/MachineMetadata.ts"

export const make = (instanceId: () => string | undefined): MachineMetadata["Service"] =>
  MachineMetadata.of({ instanceId: Effect.sync(instanceId) })
