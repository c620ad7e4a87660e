import { runService } from '@shop/service';
import { createApp } from './app.module.js';

const { BANK_LEDGER: bankLedger } = process.env;

await runService('payment', 3003, (options) => createApp({ ...options, ...(bankLedger ? { bankLedger } : {}) }));
