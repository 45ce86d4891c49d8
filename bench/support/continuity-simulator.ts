import { startSimulator } from '../../src/simulator/index.ts';
import { monotonic } from './continuity-measure.ts';

/**
 * The provider as a process of its own. It drops every connection in the middle of an answer to "Count to …", right
 * after this content frame: by then a thought, words and sound have come. The wish to go on is answered to its end.
 */
const DROP_AFTER_FRAME = 6;

const simulator = await startSimulator({
  pace: 'instant',
  audio: 'brief',
  observe: false,
  clock: { monotonic, wall: () => Date.now() },
  script: {
    rules: [{ when: { event: 'delta', nth: DROP_AFTER_FRAME, text: '^Count to' }, do: { kind: 'drop' } }],
  },
});

process.on('message', (message) => {
  if (message !== 'last-drop') return;
  const record = simulator.connections.findLast(({ end }) => end?.by === 'server' && end.code === 1006);
  process.send?.({ droppedAt: record?.endedAt });
});
process.send?.({ url: simulator.url });
