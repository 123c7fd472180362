// promtool accepts the alerts and their tests, and the queries of the dashboard.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';

import { promtool, skip } from './promtool.js';
import { promqlNames, readPromql } from './queries.js';
import { ALERTS, ALERT_TESTS, assertKnown, matchesOf } from './support.js';
import { missing, readFile, spoilt } from './support.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'alerts-'));
after(() => rmSync(FOLDER, { recursive: true }));

const CASES = ALERT_TESTS.flatMap((it) => it.alert_rule_test);

/** Writes rules to a file of the temporary folder. */
function writeRules(rules) {
  const path = join(FOLDER, 'alerts.yaml');
  writeFileSync(path, stringify({ groups: [{ name: 'rules', rules }] }));
}

test('promtool accepts the alerts and their tests', { skip }, () => {
  promtool(['check', 'rules', 'alerts.yaml']);
  promtool(['test', 'rules', 'alerts.test.yaml']);
});

for (const [what, change] of [
  ['an alert that never fires', (alert) => (alert.expr = `(${alert.expr}) and vector(1) == 2`)],
  ['an alert with another text', (alert) => (alert.annotations.summary += '!')],
]) {
  test(`promtool finds ${what}`, { skip }, () => {
    writeRules(spoilt(ALERTS, (alerts) => change(alerts[0])));
    writeFileSync(join(FOLDER, 'alerts.test.yaml'), readFile('deploy/otel/alerts.test.yaml'));
    const run = () => promtool(['test', 'rules', 'alerts.test.yaml'], { cwd: FOLDER });
    assert.throws(run, RegExp(`alertname: ${ALERTS[0].alert}\\b`));
  });
}

test('promtool accepts the queries of the dashboard', { skip }, () => {
  const queries = readPromql().map(({ query }) => query);
  writeRules(queries.map((expr, index) => ({ record: `query_${index}`, expr })));
  promtool(['check', 'rules', 'alerts.yaml'], { cwd: FOLDER });
  writeRules([{ record: 'query', expr: 'rate(1)' }]);
  const check = () => promtool(['check', 'rules', 'alerts.yaml'], { cwd: FOLDER });
  assert.throws(check, /expected type range vector/);
});

test('each alert has a test in which it fires, and one in which it does not', () => {
  const names = ALERTS.map(({ alert }) => alert);
  const namesOf = (cases) => cases.map(({ alertname }) => alertname);
  assertKnown(namesOf(CASES), names);
  assertKnown(names, namesOf(CASES.filter((it) => it.exp_alerts.length > 0)), 'never fires');
  assertKnown(names, namesOf(CASES.filter((it) => it.exp_alerts.length === 0)), 'always fires');
});

/** Returns the labels that a test expects and its alert cannot have. */
function unexpectedLabels({ alertname, exp_alerts: expected }) {
  const { expr, labels } = ALERTS.find(({ alert }) => alert === alertname);
  const grouped = promqlNames(expr).groupings.flatMap((it) => it.labels);
  const tested = expected.flatMap((it) => Object.keys(it.exp_labels));
  return missing(tested, [...grouped, ...Object.keys(labels)]);
}

test('the tests expect only labels that the alert has', () => {
  assert.deepEqual(CASES.flatMap(unexpectedLabels), []);
  const fires = CASES.find((it) => it.exp_alerts.length > 0);
  const changed = spoilt(fires, ({ exp_alerts: [first] }) => (first.exp_labels.taem = 'search'));
  assert.deepEqual(unexpectedLabels(changed), ['taem']);
});

test('the runbook of each alert is a section of a document', () => {
  for (const { alert, annotations } of ALERTS) {
    const [path, anchor] = annotations.runbook.split('#');
    const headings = matchesOf(/^#+ (.+)$/gm, readFile(path));
    const anchors = headings.map((heading) => heading.toLowerCase().replaceAll(' ', '-'));
    assert.ok(!anchor || anchors.includes(anchor), `${alert}: ${path} has no section ${anchor}`);
  }
});
