import { runService } from '@shop/service';
import { createApp } from './app.module.js';

await runService('order', 3002, createApp);
