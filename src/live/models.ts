/** How a model wants to be spoken to, where models differ. */
export interface ModelTraits {
  /** `content`: `clientContent` at any time. `realtime`: it closes with 1007 at content in mid-conversation. */
  readonly userText: 'content' | 'realtime';
  /** `content`: history as content without `turnComplete`. `initial`: announced by `historyConfig` in the setup. */
  readonly history: 'content' | 'initial';
}

const CURRENT: ModelTraits = { userText: 'content', history: 'content' };

const FAMILIES: readonly { readonly prefix: string; readonly traits: ModelTraits }[] = [
  { prefix: 'gemini-3.1-', traits: { userText: 'realtime', history: 'initial' } },
];

/** Traits by the model's name; an unknown model is taken to be like the newest stable one. */
export function traitsOf(model: string): ModelTraits {
  return FAMILIES.find(({ prefix }) => model.startsWith(prefix))?.traits ?? CURRENT;
}
