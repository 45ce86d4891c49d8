export { openLiveStates } from './live-states.ts';
export type { LiveState, LiveStates } from './live-states.ts';
export { journalDirectory, reconcile } from './reconcile.ts';
export { createSessions } from './sessions.ts';
export type { Sessions, SessionsPorts } from './sessions.ts';
