import { ipcRenderer } from 'electron';
import { passPort } from './preload-port.ts';

passPort(window, ipcRenderer);
