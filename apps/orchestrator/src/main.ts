import { runService } from '@shop/service';
import { createApp } from './app.module.js';

await runService('orchestrator', 3004, createApp);
