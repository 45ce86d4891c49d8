import { createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import type { Actions } from './actions.ts';
import type { Holdfast } from './holdfast.ts';
import type { State } from './state.ts';

const HoldfastContext = createContext<Holdfast | null>(null);

export function HoldfastProvider({ holdfast, children }: { holdfast: Holdfast; children: ReactNode }) {
  return <HoldfastContext value={holdfast}>{children}</HoldfastContext>;
}

function useHoldfast(): Holdfast {
  const holdfast = useContext(HoldfastContext);
  if (holdfast === null) throw new Error('No HoldfastProvider above this component');
  return holdfast;
}

/** A slice of the state. The selector must return the same value while nothing that it reads has changed. */
export function useSelect<T>(select: (state: State) => T): T {
  return useStore(useHoldfast().store, select);
}

export function useActions(): Actions {
  return useHoldfast().actions;
}

export function useHoldfastStore(): Holdfast['store'] {
  return useHoldfast().store;
}
