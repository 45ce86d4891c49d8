import { z } from 'zod';
import { closeNames, closes, cutReason, type Close } from './closes.ts';

/** Points of a connection's life at which a rule can strike, in the order in which they come. */
export const scriptEvents = [
  /** A client asks for the upgrade; nothing is answered yet. */
  'dial',
  /** The WebSocket is open; nothing has been received. */
  'open',
  /** The setup frame is accepted; `setupComplete` is not sent yet. */
  'setup',
  /** `setupComplete` was sent. */
  'ready',
  /** A client frame after the setup arrived; it has had no effect yet. */
  'input',
  /** The server heard the end of speech; the transcription is not sent yet. */
  'speech',
  /** A user's turn is complete and an answer is about to begin. */
  'turn',
  /** The k-th content frame of an answer was sent (`nth` counts within the answer). */
  'delta',
  /** A tool call was sent. */
  'toolCall',
  /** `generationComplete` was sent, `turnComplete` was not. */
  'generated',
  /** `turnComplete` was sent, the handle that covers the turn was not. */
  'turnComplete',
  /** A resumable handle was sent. */
  'handle',
  /** `goAway` was sent. */
  'goAway',
] as const;
export type ScriptEvent = (typeof scriptEvents)[number];

/** Codes that an endpoint may send (RFC 6455, 7.4). */
const sendableCode = z
  .number()
  .int()
  .refine(
    (code) => (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999),
    {
      error: 'A close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999; for 1006 use "drop"',
    },
  );

const pattern = z.string().refine(
  (source) => {
    try {
      return Boolean(new RegExp(source, 'iu'));
    } catch {
      return false;
    }
  },
  { error: 'This is not a regular expression' },
);

const count = z.number().int().min(1);
const ms = z.number().min(0);

const closeFields = {
  /** One of the endings seen on real connections. */
  like: z.enum(closeNames).optional(),
  code: sendableCode.optional(),
  reason: z.string().optional(),
};

const functionCallSchema = z.strictObject({
  name: z.string().min(1),
  args: z.record(z.string(), z.unknown()).default({}),
  id: z.string().optional(),
});

const sayFields = {
  /** The answer's words; cut into pieces as the server would. */
  text: z.string().optional(),
  /** The exact order instead: a string is a piece of transcription, a number is that many audio frames. */
  pieces: z.array(z.union([z.string(), count])).optional(),
  /** A thought before the answer; `null`: none. */
  thought: z.string().nullable().optional(),
  /** Milliseconds between frames instead of the server's pace. */
  everyMs: ms.optional(),
};

const saySchema = z.strictObject({ kind: z.literal('say'), ...sayFields });
const callSchema = z.strictObject({
  kind: z.literal('call'),
  calls: z.array(functionCallSchema).min(1),
  /** Spoken before the call. */
  meanwhile: z.string().optional(),
  /** The answer once every response is in; otherwise the demo words one. */
  thenSay: z.strictObject(sayFields).optional(),
  /** Cancels the calls after this long if they are still open. */
  cancelAfterMs: ms.optional(),
});
const burstSchema = z.strictObject({
  kind: z.literal('burst'),
  /** Deltas in this answer. */
  count: z.number().int().min(1).max(10_000_000),
  /** Absent: as fast as the socket takes them. */
  perSecond: z.number().positive().optional(),
  /** Characters in each delta. */
  size: z.number().int().min(1).max(1_000_000).default(8),
});

export const garbageKinds = ['notJson', 'notUtf8', 'empty', 'wrongTypes', 'unknownKeys', 'deep', 'huge'] as const;

const actionSchema = z.discriminatedUnion('kind', [
  /** Ends the connection without a close frame. */
  z.strictObject({
    kind: z.literal('drop'),
    /** After half of a frame that announced more. */
    midFrame: z.boolean().default(false),
    /** With a TCP reset instead of an end. */
    reset: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('close'), ...closeFields }),
  /** Answers the upgrade with an HTTP status. */
  z.strictObject({
    kind: z.literal('refuse'),
    status: z.number().int().min(300).max(599),
    body: z.string().default(''),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** Sends nothing from here on, not even a close unless `closes`. At `dial`: never answers. */
  z.strictObject({ kind: z.literal('silence'), forMs: ms.optional(), closes: z.boolean().default(false) }),
  /** Holds back everything for this long. */
  z.strictObject({ kind: z.literal('delay'), ms }),
  z.strictObject({
    kind: z.literal('garbage'),
    variant: z.enum(garbageKinds).default('notJson'),
    /** For `huge` and `deep`. */
    size: z.number().int().min(1).max(256_000_000).default(4_000_000),
  }),
  /** Sends a server frame of your own. */
  z.strictObject({ kind: z.literal('send'), frame: z.record(z.string(), z.unknown()) }),
  z.strictObject({
    kind: z.literal('goAway'),
    timeLeftMs: ms.default(50_000),
    /** The close once the time is over; `false`: none comes. */
    thenClose: z.union([z.strictObject(closeFields), z.literal(false)]).default({ like: 'goAwayIgnored' }),
    thenSilent: z.boolean().default(false),
  }),
  /** Closes a connection that resumes; others are let through. */
  z.strictObject({ kind: z.literal('refuseHandle'), ...closeFields }),
  /**
   * `dies`: the next input closes with 1007. `deaf`: hears and never answers. At `setup` the handle in use, at `handle`
   * the one just sent; either way it stays poisoned on every later connection.
   */
  z.strictObject({ kind: z.literal('poisonHandle'), mode: z.enum(['dies', 'deaf']).default('dies') }),
  /** Every handle issued so far is forgotten. */
  z.strictObject({ kind: z.literal('forgetHandles') }),
  /** Sends a handle that nobody asked for; `resumable: false` carries none. */
  z.strictObject({ kind: z.literal('offerHandle'), resumable: z.boolean().default(true) }),
  /** Speaks without being asked. */
  z.strictObject({ kind: z.literal('greet'), text: z.string().min(1) }),
  /** Sends the transcriptions of the last exchange in memory once more. */
  z.strictObject({ kind: z.literal('replay') }),
  /** Leaves frames out of the answer. */
  z.strictObject({
    kind: z.literal('omit'),
    what: z
      .array(z.enum(['thought', 'transcription', 'audio', 'generationComplete', 'turnComplete', 'usage', 'handle']))
      .min(1),
  }),
  /** What was said in the speech just heard. A list sets the pieces. */
  z.strictObject({ kind: z.literal('hear'), text: z.union([z.string(), z.array(z.string()).min(1)]) }),
  z.strictObject({ kind: z.literal('cancelCalls') }),
  saySchema,
  callSchema,
  burstSchema,
]);
export type ScriptAction = z.infer<typeof actionSchema>;
export type ActionKind = ScriptAction['kind'];

/** Actions that make sense at some events only. */
const ONLY_AT: Partial<Record<ActionKind, readonly ScriptEvent[]>> = {
  refuse: ['dial'],
  refuseHandle: ['setup'],
  poisonHandle: ['setup', 'handle'],
  say: ['turn'],
  call: ['turn'],
  burst: ['turn'],
  omit: ['turn'],
  hear: ['speech'],
};
const AT_DIAL: readonly ActionKind[] = ['refuse', 'drop', 'silence', 'delay'];

const ruleSchema = z
  .strictObject({
    when: z.strictObject({
      event: z.enum(scriptEvents),
      /** Which dial since the simulator started, counted from 1. */
      connection: z.union([count, z.strictObject({ from: count.optional(), to: count.optional() })]).optional(),
      /** Which occurrence on that connection, counted from 1. For `delta`: which frame of an answer. */
      nth: count.optional(),
      /** Which answer on that connection, counted from 1. */
      turn: count.optional(),
      /** A regular expression, case ignored, that the user's words must match. */
      text: pattern.optional(),
      /** Only connections that resume, or only those that do not. */
      resuming: z.boolean().optional(),
      /** Strikes this long after the event. */
      afterMs: ms.optional(),
    }),
    do: actionSchema,
    /** How often it may strike over all connections; absent: every time. */
    times: count.optional(),
  })
  .superRefine(({ when, do: action }, context) => {
    const events = ONLY_AT[action.kind];
    if (events !== undefined && !events.includes(when.event)) {
      context.addIssue({
        code: 'custom',
        path: ['do', 'kind'],
        message: `"${action.kind}" strikes at ${events.join(' or ')} only`,
      });
    }
    if (when.event === 'dial' && !AT_DIAL.includes(action.kind)) {
      context.addIssue({
        code: 'custom',
        path: ['do', 'kind'],
        message: `At dial only ${AT_DIAL.join(', ')} can strike`,
      });
    }
    if (events?.includes('turn') && when.afterMs !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['when', 'afterMs'],
        message: `"${action.kind}" decides the answer and cannot come later`,
      });
    }
  });
export type ScriptRule = z.infer<typeof ruleSchema>;

export const scriptSchema = z.strictObject({
  /** Answers to the user's words, first match first; for what matches none, the demo answers. */
  answers: z
    .array(z.strictObject({ match: pattern, do: z.discriminatedUnion('kind', [saySchema, callSchema, burstSchema]) }))
    .default([]),
  /** What is heard in speech, in order of the utterances; a list sets the pieces. */
  hears: z.array(z.union([z.string(), z.array(z.string()).min(1)])).default([]),
  /** Overrides the model's own. */
  lifetime: z
    .strictObject({
      connectionMs: ms.optional(),
      goAwayBeforeMs: ms.nullable().optional(),
      silentAfterGoAway: z.boolean().default(false),
      end: z.strictObject(closeFields).optional(),
      /** A session without compression: its audio in and out, 15 minutes by the documentation; `null`: no limit. */
      sessionAudioMs: ms.nullable().default(null),
    })
    .default({ silentAfterGoAway: false, sessionAudioMs: null }),
  handles: z
    .strictObject({
      lifetimeMs: ms.default(7_200_000),
      /** How an unknown or expired handle is refused. */
      refusal: z.strictObject(closeFields).default({ like: 'invalidArgument' }),
      /** Handles come even if the setup did not ask. */
      unrequested: z.boolean().default(false),
    })
    .default({ lifetimeMs: 7_200_000, refusal: { like: 'invalidArgument' }, unrequested: false }),
  quirks: z
    .strictObject({
      /** An empty `serverContent {}` in every n-th answer; 0: never. */
      emptyContentEvery: z.number().int().min(0).default(4),
      /** Fields that usually come apart share a frame. */
      coalesce: z.boolean().default(false),
      untidyUsage: z.boolean().default(false),
      setupDelayMs: ms.default(0),
      /** `realtimeInput.text` takes this long to have its effect: it can be overtaken by `clientContent`. */
      realtimeTextDelayMs: ms.default(0),
      /** Pongs come this late; `null`: never. */
      pongDelayMs: ms.nullable().default(0),
    })
    .default({
      emptyContentEvery: 4,
      coalesce: false,
      untidyUsage: false,
      setupDelayMs: 0,
      realtimeTextDelayMs: 0,
      pongDelayMs: 0,
    }),
  rules: z.array(ruleSchema).default([]),
});
export type Script = z.infer<typeof scriptSchema>;
/** A script as it is written: what has a default can be left out. */
export type ScriptInput = z.input<typeof scriptSchema>;

export type ParsedScript =
  { readonly ok: true; readonly script: Script } | { readonly ok: false; readonly issues: readonly string[] };

/** Reads a script from JSON. Each issue names its place, such as `rules.0.do.kind`. */
export function parseScript(json: unknown): ParsedScript {
  const parsed = scriptSchema.safeParse(json);
  if (parsed.success) return { ok: true, script: parsed.data };
  return {
    ok: false,
    issues: parsed.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'script'}: ${issue.message}`),
  };
}

/** The close that a script's fields describe; a code or reason of its own goes over that of `like`. */
export function closeOf(
  fields: {
    readonly like?: keyof typeof closes | undefined;
    readonly code?: number | undefined;
    readonly reason?: string | undefined;
  },
  otherwise: Close = closes.internal,
): Close {
  const base: Close = fields.like === undefined ? otherwise : closes[fields.like];
  const reason = fields.reason ?? (fields.code === undefined || fields.like !== undefined ? base.reason : '');
  return { code: fields.code ?? base.code, reason: cutReason(reason) };
}
