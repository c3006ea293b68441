/**
 * How a failed effect is to be treated. The category is data on the error; the queue reads one table
 * (`controller/RetryPolicy.ts`), so that no adapter and no call site retries on its own.
 *
 * - `throttled`: refused for load or rate; try again after the pause that the server names, else with backoff.
 * - `conflict`: the object changed since it was read; observe again, then plan anew. Never repeat the same write.
 * - `transient`: nothing happened and it may work next time.
 * - `ambiguous`: the write was sent and its outcome is unknown; read back before anything else.
 * - `permanent`: will fail again until a person changes something; retried at the cap.
 */
export type Category = "throttled" | "conflict" | "transient" | "ambiguous" | "permanent"
