/**
 * What a cloud provider tells a machine about itself, without credentials. Asked by operators, and only where a pool has
 * addresses of a cloud: elsewhere nobody listens, or somebody else does.
 */
import { Context, type Effect } from "effect"

export class MachineMetadata extends Context.Service<
  MachineMetadata,
  {
    /** Id of the server that this machine is at the provider; undefined: nobody says. It answers within seconds. */
    readonly instanceId: Effect.Effect<string | undefined>
  }
>()("plenuslb/ports/MachineMetadata") {}
