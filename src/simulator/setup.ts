import { closes, modelNotFound, type Close } from './closes.ts';
import { findModel, type ModelCapabilities } from './models.ts';
import type { Setup } from './wire.ts';
import type { Flavour } from './world.ts';

export type CheckedSetup =
  | { readonly ok: true; readonly model: ModelCapabilities; readonly modality: 'AUDIO' | 'TEXT' }
  | { readonly ok: false; readonly close: Close };

const refused: CheckedSetup = { ok: false, close: closes.invalidArgument };

/** What a model has no answer to: fields it refuses rather than ignores. */
function fits(setup: Setup, model: ModelCapabilities): boolean {
  const config = setup.generationConfig;
  if (config?.thinkingConfig !== undefined && !model.thinkingConfig) return false;
  if (config?.enableAffectiveDialog !== undefined && !model.affectiveDialog) return false;
  return setup.proactivity?.proactiveAudio !== false || model.proactiveAudioOff;
}

/** Holds a setup against the model's capabilities. */
export function checkSetup(setup: Setup, flavour: Flavour, version: string): CheckedSetup {
  const model = findModel(setup.model);
  if (model === undefined) return { ok: false, close: modelNotFound(setup.model, version) };
  const modalities = setup.generationConfig?.responseModalities ?? ['AUDIO'];
  const modality = modalities[0] ?? 'AUDIO';
  if (modalities.length > 1 || modality === 'IMAGE' || !model.outputs.includes(modality)) return refused;
  if (setup.sessionResumption?.transparent === true && flavour !== 'vertex') return refused;
  return fits(setup, model) ? { ok: true, model, modality } : refused;
}
