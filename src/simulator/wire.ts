import type { LiveServerMessage, Content } from '@google/genai';
import { z } from 'zod';

/** A server frame as JSON. The SDK's class adds getters that are not on the wire. */
export type ServerFrame = Omit<LiveServerMessage, 'text' | 'data'>;

const SERVICE = 'google.ai.generativelanguage';

/** Paths that Google serves; the second takes ephemeral tokens. Some clients join base and path with two slashes. */
const PATH = new RegExp(
  `^/{1,2}ws/${SERVICE.replaceAll('.', '\\.')}\\.(v1beta|v1alpha)\\.GenerativeService\\.BidiGenerateContent(Constrained)?$`,
);

export interface LivePath {
  readonly version: 'v1beta' | 'v1alpha';
  readonly constrained: boolean;
}

export function parseLivePath(path: string): LivePath | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const version = match[1] === 'v1alpha' ? 'v1alpha' : 'v1beta';
  const constrained = match[2] !== undefined;
  if (constrained && version !== 'v1alpha') return undefined;
  return { version, constrained };
}

/** Below these keys the names are the client's own and must stay as they are. */
const FREE_FORM = new Set(['response', 'args', 'parameters', 'parametersJsonSchema', 'responseJsonSchema', 'labels']);

function camelKey(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Protobuf's JSON takes both spellings of a key; from here on there is one. */
function toCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCamelCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = camelKey(key);
      return [name, FREE_FORM.has(name) ? inner : toCamelCase(inner)];
    }),
  );
}

const blobSchema = z.looseObject({ data: z.string(), mimeType: z.string() });
const freeForm = z.record(z.string(), z.unknown());

const partSchema = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  inlineData: blobSchema.optional(),
  functionCall: z.looseObject({ id: z.string().optional(), name: z.string(), args: freeForm.optional() }).optional(),
  functionResponse: z
    .looseObject({ id: z.string().optional(), name: z.string().optional(), response: freeForm.optional() })
    .optional(),
});

const contentSchema = z.strictObject({
  role: z.enum(['user', 'model']).optional(),
  parts: z.array(partSchema).default([]),
});

const systemInstructionSchema = z.union([
  z.looseObject({ role: z.string().optional(), parts: z.array(partSchema) }),
  z.string().transform((text) => ({ parts: [{ text }] })),
]);

const functionDeclarationSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().optional(),
  behavior: z.enum(['UNSPECIFIED', 'BLOCKING', 'NON_BLOCKING']).optional(),
  parameters: freeForm.optional(),
  parametersJsonSchema: freeForm.optional(),
});

const toolsSchema = z.array(z.looseObject({ functionDeclarations: z.array(functionDeclarationSchema).optional() }));

const setupSchema = z.strictObject({
  model: z.string().min(1),
  generationConfig: z
    .looseObject({
      responseModalities: z.array(z.enum(['AUDIO', 'TEXT', 'IMAGE'])).optional(),
      thinkingConfig: freeForm.optional(),
      enableAffectiveDialog: z.boolean().optional(),
    })
    .optional(),
  systemInstruction: systemInstructionSchema.optional(),
  tools: toolsSchema.optional(),
  realtimeInputConfig: z
    .looseObject({
      automaticActivityDetection: z
        .looseObject({ disabled: z.boolean().optional(), silenceDurationMs: z.number().nonnegative().optional() })
        .optional(),
      activityHandling: z
        .enum(['ACTIVITY_HANDLING_UNSPECIFIED', 'START_OF_ACTIVITY_INTERRUPTS', 'NO_INTERRUPTION'])
        .optional(),
    })
    .optional(),
  sessionResumption: z.strictObject({ handle: z.string().optional(), transparent: z.boolean().optional() }).optional(),
  contextWindowCompression: z
    .strictObject({
      triggerTokens: z.coerce.number().positive().optional(),
      slidingWindow: z.strictObject({ targetTokens: z.coerce.number().positive().optional() }).optional(),
    })
    .optional(),
  inputAudioTranscription: freeForm.optional(),
  outputAudioTranscription: freeForm.optional(),
  proactivity: z.looseObject({ proactiveAudio: z.boolean().optional() }).optional(),
  historyConfig: z.strictObject({ initialHistoryInClientContent: z.boolean().optional() }).optional(),
  explicitVadSignal: z.boolean().optional(),
  avatarConfig: freeForm.optional(),
  safetySettings: z.array(freeForm).optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

const clientFrameSchema = z.union([
  z.strictObject({ setup: setupSchema }),
  z.strictObject({
    clientContent: z.strictObject({
      turns: z.array(contentSchema).default([]),
      turnComplete: z.boolean().default(false),
    }),
  }),
  z.strictObject({
    realtimeInput: z.strictObject({
      text: z.string().optional(),
      audio: blobSchema.optional(),
      video: blobSchema.optional(),
      mediaChunks: z.array(blobSchema).optional(),
      activityStart: freeForm.optional(),
      activityEnd: freeForm.optional(),
      audioStreamEnd: z.boolean().optional(),
    }),
  }),
  z.strictObject({
    toolResponse: z.strictObject({
      functionResponses: z
        .array(
          z.looseObject({
            id: z.string().min(1),
            name: z.string().optional(),
            response: freeForm.optional(),
            scheduling: z.enum(['SCHEDULING_UNSPECIFIED', 'SILENT', 'WHEN_IDLE', 'INTERRUPT']).optional(),
          }),
        )
        .min(1),
    }),
  }),
  z.strictObject({
    contextUpdate: z.strictObject({
      systemInstruction: systemInstructionSchema.optional(),
      // The SDK wraps the list so that an empty one can be told from none.
      tools: z.union([z.strictObject({ tools: toolsSchema.optional() }), toolsSchema]).optional(),
    }),
  }),
]);

export type ClientFrame = z.infer<typeof clientFrameSchema>;
export type Setup = z.infer<typeof setupSchema>;
export type ToolDeclaration = z.infer<typeof functionDeclarationSchema>;
export type Tools = z.infer<typeof toolsSchema>;
export type SystemInstruction = z.infer<typeof systemInstructionSchema>;
export type RealtimeInput = Extract<ClientFrame, { realtimeInput: unknown }>['realtimeInput'];
export type FunctionResponses = Extract<ClientFrame, { toolResponse: unknown }>['toolResponse']['functionResponses'];
export type { Content };

export const clientFrameKinds = ['setup', 'clientContent', 'realtimeInput', 'toolResponse', 'contextUpdate'] as const;
export type ClientFrameKind = (typeof clientFrameKinds)[number];

export function frameKind(frame: ClientFrame): ClientFrameKind {
  return Object.keys(frame)[0] as ClientFrameKind;
}

/** JSON of one frame, whichever way it arrived; `undefined` if it is not JSON. */
export function decodeJson(data: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof data === 'string' ? data : new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    return undefined;
  }
}

/** Reads a client frame: exactly one known key, both spellings. `undefined`: the wire would answer 1007. */
export function readClientFrame(json: unknown): ClientFrame | undefined {
  try {
    const parsed = clientFrameSchema.safeParse(toCamelCase(json));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    // JSON can be nested deeper than the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function functionDeclarations(tools: Tools | undefined): readonly ToolDeclaration[] {
  return (tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
}

/** The text parts of a turn, thoughts left out. */
export function textOf(content: {
  readonly parts?: readonly { text?: string | undefined; thought?: boolean | undefined }[] | undefined;
}): string {
  let text = '';
  for (const part of content.parts ?? []) if (part.thought !== true) text += part.text ?? '';
  return text;
}
