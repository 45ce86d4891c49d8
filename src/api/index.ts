export { createEventLog } from './event-log.ts';
export type { EventLog } from './event-log.ts';
export { createRouter } from './router.ts';
export type { CoreRouter } from './router.ts';
export { serveOverPort, serveOverWebSocket } from './serve.ts';
export type { ServerPort } from './serve.ts';
