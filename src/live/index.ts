export { problemFrom } from './close-reasons.ts';
export type { ConnectionEnd } from './close-reasons.ts';
export { createLink } from './link.ts';
export type { Link, LinkPorts } from './link.ts';
export { defaultLinkConfig } from './machine/config.ts';
export type { LinkConfig } from './machine/config.ts';
export { step } from './machine/machine.ts';
export type { Moment, Step } from './machine/machine.ts';
export { linkState, startLink } from './machine/state.ts';
export type { LinkStart } from './machine/state.ts';
export type {
  AskForm,
  LinkData,
  LinkEffect,
  LinkFact,
  LinkInput,
  Plan,
  Rung,
  TimerName,
  ToolResult,
} from './machine/types.ts';
export { traitsOf } from './models.ts';
export type { ModelTraits } from './models.ts';
export { systemClock } from './ports.ts';
export type { Clock, Endpoint } from './ports.ts';
export { contextForm, contextFrom, NO_CONTEXT } from './restore.ts';
export type { Context } from './restore.ts';
export { readServerFrame, shapeOf } from './signals.ts';
export type { ServerSignal } from './signals.ts';
export { dial } from './socket.ts';
export type { Dial, LiveSocket, SocketListener } from './socket.ts';
