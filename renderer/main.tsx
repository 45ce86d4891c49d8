import './zod-without-eval.ts';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { connect } from './connect.ts';
import { Opening } from './status/opening.tsx';
import { HoldfastProvider } from './store/context.tsx';
import { windowClock } from './store/event-queue.ts';
import { createHoldfast } from './store/holdfast.ts';
import { windowNetwork } from './store/network.ts';
import { createWindowMemory } from './store/window-memory.ts';
import { applyTheme } from './theme.ts';

const memory = createWindowMemory(window.localStorage);
applyTheme(memory.readTheme());

const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(<Opening />);

const holdfast = createHoldfast(await connect(), memory, windowClock, windowNetwork);
root.render(
  <HoldfastProvider holdfast={holdfast}>
    <App />
  </HoldfastProvider>,
);
