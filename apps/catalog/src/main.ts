import { runService } from '@shop/service';
import { createApp } from './app.module.js';

await runService('catalog', 3001, createApp);
