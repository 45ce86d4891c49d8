export { resolveAsset } from './assets.ts';
export type { Asset } from './assets.ts';
export { contentSecurityPolicy } from './csp.ts';
export { startBrowserHost } from './host.ts';
export type { BrowserHost, HostOptions } from './host.ts';
