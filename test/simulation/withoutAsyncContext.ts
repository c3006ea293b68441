/**
 * Preloaded (`node --import`) by the simulator and its bench: Effect then finds no AsyncResource, of which it would make
 * one each time a fiber waits, for debuggers to follow. A simulation waits some hundred thousand times a second.
 */
Reflect.set(process, "getBuiltinModule", undefined)
