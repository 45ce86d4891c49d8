export { createDemoProvider } from './demo.ts';
export type { DemoProvider } from './demo.ts';
export { geminiEndpoint } from './endpoints.ts';
