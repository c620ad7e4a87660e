import { writeFileSync } from 'node:fs';

/** Writes how many tests passed and failed to the file named by MILLRACE_TEST_SUMMARY, for scripts; without it, nothing. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.MILLRACE_TEST_SUMMARY;
    if (!file) return;
    // A suite that could not even start counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    writeFileSync(file, `${results.numPassedTests} passed, ${failed} failed\n`);
  }
}
