import '../../../renderer/zod-without-eval.ts';
import '../../../renderer/styles.css';
import { createRoot } from 'react-dom/client';
import { App } from '../../../renderer/app.tsx';
import { HoldfastProvider } from '../../../renderer/store/context.tsx';
import { windowClock } from '../../../renderer/store/event-queue.ts';
import { createHoldfast } from '../../../renderer/store/holdfast.ts';
import type { Holdfast } from '../../../renderer/store/holdfast.ts';
import { windowNetwork } from '../../../renderer/store/network.ts';
import { createWindowMemory } from '../../../renderer/store/window-memory.ts';
import { createFakeCore } from '../fake-core.ts';
import type { FakeCore } from '../fake-core.ts';

declare global {
  var core: FakeCore;
  var holdfast: Holdfast;
  /** Renders the window over what the test has put into the core. */
  var show: () => void;
}

globalThis.core = createFakeCore();
globalThis.show = () => {
  const holdfast = createHoldfast(core.connection, createWindowMemory(localStorage), windowClock, windowNetwork);
  globalThis.holdfast = holdfast;
  createRoot(document.getElementById('root') as HTMLElement).render(
    <HoldfastProvider holdfast={holdfast}>
      <App />
    </HoldfastProvider>,
  );
};
