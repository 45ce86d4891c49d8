import { eventsContract } from './events.ts';
import { exchangeContract } from './exchange.ts';
import { historyContract } from './history.ts';
import { linksContract } from './links.ts';
import { sessionsContract } from './sessions.ts';
import { settingsContract } from './settings.ts';
import { systemContract } from './system.ts';
import { turnsContract } from './turns.ts';

/** The whole API between UI and core: the single source of truth for every transport. */
export const contract = {
  sessions: sessionsContract,
  turns: turnsContract,
  history: historyContract,
  links: linksContract,
  exchange: exchangeContract,
  settings: settingsContract,
  events: eventsContract,
  system: systemContract,
};
export type Contract = typeof contract;
