/**
 * tallyReport counts a report of Vitest (its JSON reporter) as `{ passed, failed, skipped }`; a file that could not be
 * loaded is one failure, and so is a report that is absent.
 */
export function tallyReport(report) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  if (!report) return { ...tally, failed: 1 };
  for (const file of report.testResults) {
    const results = file.assertionResults;
    for (const { status } of results) tally[status === 'passed' || status === 'failed' ? status : 'skipped']++;
    if (file.status === 'failed' && !results.some(({ status }) => status === 'failed')) tally.failed++;
  }
  // An error outside of all tests, such as a rejection that nobody handled, fails the run and is in no list.
  if (!report.success && tally.failed === 0) tally.failed++;
  return tally;
}

/** Where more files fail than this, it is not by chance. */
const MOST_REPEATED = 3;

/** filesToRepeat are the files with failures that may be by chance: a few, or none at all. */
export function filesToRepeat(report) {
  const failed = report ? report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name) : [];
  return failed.length <= MOST_REPEATED ? failed : [];
}

/** withRepeated is a report with the results of the files that ran once more in place of their first ones. */
export function withRepeated(report, repeated) {
  const names = new Set(repeated.testResults.map(({ name }) => name));
  const kept = report.testResults.filter(({ name }) => !names.has(name));
  const success = repeated.success && kept.every(({ status }) => status !== 'failed');
  return { success, testResults: [...kept, ...repeated.testResults] };
}

/** tallyChecks counts checks as tests. */
export function tallyChecks(checks) {
  const failed = checks.filter(({ ok }) => !ok).length;
  return { passed: checks.length - failed, failed, skipped: 0 };
}

/** sum adds tallies up. */
export function sum(...tallies) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const tally of tallies) for (const name of Object.keys(total)) total[name] += tally[name];
  return total;
}

/** closingLine says a tally in the words that end every run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
