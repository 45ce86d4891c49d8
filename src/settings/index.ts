export { createSettings } from './settings.ts';
export type { SecretStore, SettingsStore } from './settings.ts';
