export { openLiveSessions, SEAL_KEY_BYTES } from './live-sessions.ts';
export type { LiveSession, LiveSessionEvent, LiveSessions, Seal } from './live-sessions.ts';
export { reconcile } from './reconcile.ts';
export { createSessions } from './sessions.ts';
export type { SessionsPorts } from './opening.ts';
export type { Sessions } from './sessions.ts';
