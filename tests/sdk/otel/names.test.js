// The files agree on the names of metrics and labels. The README has the list.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LOGQL, logqlNames, promqlNames, readPromql } from './queries.js';
import { ALERT_TESTS, COLLECTOR, DASHBOARD, GATEWAY_METRICS } from './support.js';
import { LOG_FIELDS, README, VECTOR } from './support.js';
import { assertKnown, matchesOf, missing, quotedIn, readTable, spoilt } from './support.js';

const { processors, connectors, exporters } = COLLECTOR.toJS();

/** What the exporter appends for a unit. It drops units in braces. */
const UNIT_SUFFIXES = { s: ['seconds'] };

/** What the parts of a histogram append to its name, with the label that only this part has. */
const HISTOGRAM_PARTS = { _bucket: ['le'], _sum: [], _count: [] };

/** Labels that Prometheus adds to each series. Only the tests of alerts may use them. */
const TARGET_LABELS = ['instance', 'job'];

/** The metrics of the README: for each name the source and the labels. */
const METRICS = new Map(readTable(README, 'Metrics').flatMap(readRow));

const METRIC_NAME = /set\(metric\.name, "([^"]+)"\)/g;
const [SCRAPED] = matchesOf(METRIC_NAME, processors['transform/up'].metric_statements.join('\n'));

/** The metrics that collector.yaml makes, with their labels. */
const MADE = new Map(
  [...connectors.signal_to_metrics.logs, { name: SCRAPED }].map((it) => [
    metricName(it),
    labelsOf(it),
  ]),
);

const SERIES = seriesOf(METRICS);

/** Returns the metrics of a row. The README explains the words for labels below the table. */
function readRow([names, source, labels]) {
  const [, ...pairs] = /"(\w+)", "(\w+)" and "(\w+)" are `(\w+)`, `(\w+)` and `(\w+)`/.exec(README);
  const words = Object.fromEntries(pairs.slice(0, 3).map((word, i) => [word, pairs[i + 3]]));
  const items = labels.split(', ').flatMap((item) => words[item] ?? quotedIn(item));
  const own = items.filter((item) => /^\w+$/.test(item)).sort();
  return quotedIn(names).map((name) => [name, { source, labels: own }]);
}

/**
 * Returns the name that the exporter gives to a metric.
 * https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus
 */
function metricName({ name, unit = '{}', sum }) {
  const suffixes = /^\{.*\}$/.test(unit) ? [] : UNIT_SUFFIXES[unit];
  assert.ok(suffixes, `add the unit ${unit} of ${name} to this test`);
  const words = name.split(/[^A-Za-z0-9]+/);
  const all = [...words, ...missing(suffixes, words)].filter((word) => !sum || word !== 'total');
  return [...all, ...(sum ? ['total'] : [])].join('_');
}

function labelsOf({ attributes = [] }) {
  return attributes.map(({ key }) => key.replace(/\W/g, '_')).sort();
}

/** Returns the names of series, with their labels. */
function seriesOf(metrics) {
  const histograms = connectors.signal_to_metrics.logs.filter(({ histogram }) => histogram);
  const names = histograms.map(metricName);
  const series = [...metrics].flatMap(([name, { labels }]) => {
    if (!names.includes(name)) return [[name, labels]];
    const parts = Object.entries(HISTOGRAM_PARTS);
    return parts.map(([suffix, own]) => [name + suffix, [...labels, ...own]]);
  });
  return new Map(series);
}

/** Returns names that no series has, and labels that are shown although no `by` keeps them. */
function unknownNames(query, { shown = [], allowed = [] } = {}) {
  const { selectors, groupings } = promqlNames(query);
  const unknown = ({ metric, labels }) => {
    const known = SERIES.get(metric);
    if (!known) return [metric];
    return missing(labels, [...known, ...allowed]).map((label) => `${metric}{${label}}`);
  };
  const grouped = groupings.flatMap(({ labels, metrics }) =>
    metrics.flatMap((metric) => unknown({ metric, labels })),
  );
  const kept = groupings.flatMap(({ labels }) => labels);
  const lost = missing(shown, kept).map((label) => `{{${label}}}`);
  return [...selectors.flatMap(unknown), ...grouped, ...lost];
}

test('the README lists the metrics that the Collector makes', () => {
  const listed = [...METRICS].filter(([, { source }]) => source !== '`/metrics`');
  const labels = listed.map(([name, metric]) => [name, metric.labels]);
  assert.deepEqual(Object.fromEntries(labels), Object.fromEntries(MADE));
  assert.equal(exporters.prometheus.translation_strategy, 'UnderscoreEscapingWithSuffixes');
});

test('a metric that is made twice has the same labels', () => {
  for (const metric of connectors.signal_to_metrics.logs) {
    assert.deepEqual(labelsOf(metric), MADE.get(metricName(metric)), metric.name);
  }
});

test('the README lists the metrics of the gateway', () => {
  const listed = [...METRICS].filter(([, { source }]) => source === '`/metrics`');
  assert.deepEqual(listed.map(([name]) => name).sort(), [...GATEWAY_METRICS.keys()].sort());
  for (const [name, { labels }] of listed) {
    assertKnown(labels, GATEWAY_METRICS.get(name).labels, name);
  }
});

test('names follow the rules of the exporter', () => {
  const names = { s: 'a_b_seconds', '{token}': 'a_b', '{}': 'a_b' };
  for (const [unit, name] of Object.entries(names)) {
    assert.equal(metricName({ name: 'a.b', unit }), name);
    assert.equal(metricName({ name: 'a.b', unit, sum: {} }), `${name}_total`);
  }
  assert.equal(metricName({ name: 'a.seconds', unit: 's' }), 'a_seconds');
  assert.throws(() => metricName({ name: 'a', unit: 'By' }));
});

for (const { from, query, shown } of readPromql()) {
  test(`names of ${from}`, () => assert.deepEqual(unknownNames(query, { shown }), []));
}

for (const { name, input_series: series } of ALERT_TESTS) {
  test(`names of the test "${name}"`, () => {
    const unknown = series.flatMap((it) => unknownNames(it.series, { allowed: TARGET_LABELS }));
    assert.deepEqual(unknown, []);
  });
}

test('wrong names are found', () => {
  const mistakes = {
    gateway_request_total: ['gateway_request_total'],
    'gateway_requests_total{kind="input"}': ['gateway_requests_total{kind}'],
    'sum by (job) (gateway_requests_total)': ['gateway_requests_total{job}'],
    gen_ai_client_token_usage: ['gen_ai_client_token_usage'],
    'gen_ai_client_token_usage_sum{le="1"}': ['gen_ai_client_token_usage_sum{le}'],
  };
  for (const [query, expected] of Object.entries(mistakes)) {
    assert.deepEqual(unknownNames(query), expected);
  }
  const change = ({ panels }) => (panels.at(-1).targets[0].legendFormat = '{{taem}}');
  const changed = readPromql(spoilt(DASHBOARD, change), []).at(-1);
  assert.deepEqual(unknownNames(changed.query, changed), ['{{taem}}']);
});

test('Vector makes the same metrics', () => {
  const made = [...MADE.keys()].filter((name) => METRICS.get(name).source === 'log');
  const labels = [...MADE.values()].flat();
  const quoted = matchesOf(/"((?:ai_gateway|gen_ai|http|error)_\w+)"/g, VECTOR);
  assertKnown(made, quoted);
  assertKnown(quoted, [...made, ...labels]);
});

test('the queries for Loki use only fields that the log has', () => {
  const names = LOGQL.flatMap(logqlNames);
  assertKnown(names, [...LOG_FIELDS, 'service_name']);
  const example = 'sum by (a) (rate({b="c"} | json | d="e" | unwrap f [1d]))';
  assert.deepEqual(logqlNames(example), ['a', 'b', 'd', 'f']);
});
