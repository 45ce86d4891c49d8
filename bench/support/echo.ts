import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

// The bare minimum that a WebSocket costs on this machine: every message goes back as it came.
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  console.log(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
server.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
