import { oc } from '@orpc/contract';
import { z } from 'zod';
import { problemErrors } from './problems.ts';

export const DEFAULT_MODEL = 'gemini-3.8-live';

export const settingsSchema = z.object({
  /** Without the `models/` prefix. */
  model: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'A model name looks like gemini-3.8-live'),
  /** `null`: Google's own address. A `ws:`, `wss:`, `http:` or `https:` URL otherwise. */
  baseUrl: z
    .url({ protocol: /^(wss?|https?)$/ })
    .max(500)
    .refine((url) => !url.includes('#'), 'An address to dial has no part that begins with #')
    .nullable(),
  theme: z.enum(['system', 'light', 'dark']),
  /** Whether an answer that was cut by the connection is gone on with by itself, once, or left to the user. */
  cutAnswers: z.enum(['go-on', 'leave']),
  /** Minutes of silence after which a conversation's live state is given up; it goes on from its history then. */
  timeoutMinutes: z.number().int().min(1).max(1_440),
});
export type Settings = Readonly<z.infer<typeof settingsSchema>>;

export const defaultSettings: Settings = {
  model: DEFAULT_MODEL,
  baseUrl: null,
  theme: 'system',
  cutAnswers: 'go-on',
  timeoutMinutes: 30,
};

export const settingsViewSchema = z.object({
  settings: settingsSchema,
  /** The key itself never leaves the core. `environment` wins over `stored`. */
  apiKey: z.object({
    source: z.enum(['environment', 'stored', 'none']),
    /** Last four characters, to tell one key from another. */
    hint: z.string().optional(),
  }),
  /** Fields that the environment fixes and the user cannot change here. */
  fixed: z.array(z.enum(['model', 'baseUrl', 'apiKey'])),
  /** Who answers with these settings. `demo`: no key, so the built-in simulator does. */
  provider: z.enum(['gemini', 'demo']),
});
export type SettingsView = Readonly<z.infer<typeof settingsViewSchema>>;

export const settingsContract = {
  get: oc.errors(problemErrors).output(settingsViewSchema),
  /** Links that are live with other settings are closed and connect anew at the next turn. */
  update: oc.errors(problemErrors).input(settingsSchema.partial()).output(settingsViewSchema),
  /** Stores the key encrypted where the host can. `null` removes it. */
  setApiKey: oc
    .errors(problemErrors)
    .input(
      z.object({
        key: z
          .string()
          .trim()
          .min(10, 'This is too short for an API key')
          .max(500)
          .regex(/^[\x21-\x7e]+$/, 'An API key has no spaces or special characters')
          .nullable(),
      }),
    )
    .output(settingsViewSchema),
};
