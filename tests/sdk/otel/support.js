// The files that are tested, and the tables of the documents that describe them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse, parseDocument } from 'yaml';

const ROOT = new URL('../../../', import.meta.url);

/** The folder of the files. */
export const DEPLOY = new URL('deploy/otel/', ROOT);

/** Returns the text of a file of the project. */
export function readFile(path) {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

export const OPERATIONS = readFile('docs/operations.md');
export const README = readFile('deploy/otel/README.md');
export const LOKI = readFile('deploy/otel/loki.md');
export const VECTOR = readFile('deploy/otel/vector.toml');
export const COLLECTOR = parseDocument(readFile('deploy/otel/collector.yaml'));
assert.deepEqual(COLLECTOR.errors, []);
export const DASHBOARD = JSON.parse(readFile('deploy/otel/dashboard.json'));
export const ALERTS = parse(readFile('deploy/otel/alerts.yaml')).groups.flatMap((it) => it.rules);
export const ALERT_TESTS = parse(readFile('deploy/otel/alerts.test.yaml')).tests;

/** Returns what the group of `pattern` matches, everywhere in `text`. Fails if that is nowhere. */
export function matchesOf(pattern, text) {
  const found = [...text.matchAll(pattern)].map(([, group]) => group);
  assert.notEqual(found.length, 0, `${pattern} matches nothing`);
  return found;
}

/** Returns what a cell of a table has in backticks. */
export function quotedIn(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted);
}

/** Returns the cells of each row of the first table below a heading. */
export function readTable(markdown, heading) {
  const section = markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const [table = ''] = /(^\|.*\n)+/m.exec(section) ?? [];
  const [, , ...rows] = table.trim().split('\n');
  assert.notEqual(rows.length, 0, `there is no table below "${heading}"`);
  return rows.map((row) => row.split(/ *\| */).slice(1, -1));
}

const LOG = readTable(OPERATIONS, 'Log');

/** The fields of a line of the log. */
export const LOG_FIELDS = new Set(LOG.flatMap(([fields]) => quotedIn(fields)));

/** The names that OpenTelemetry has for fields. */
export const OTEL_NAMES = new Set(LOG.flatMap(([, names]) => quotedIn(names)));

/** The metrics of `GET /metrics`: for each name the type and the labels. */
export const GATEWAY_METRICS = new Map(
  readTable(OPERATIONS, 'Metrics').map(([metric, type]) => {
    const [, name, labels] = /^`(\w+)\{([\w,]+)\}`$/.exec(metric) ?? assert.fail(metric);
    return [name, { type, labels: labels.split(',') }];
  }),
);

/** Returns those of `names` that `known` does not have. */
export function missing(names, known) {
  return [...new Set(names)].filter((name) => !new Set(known).has(name));
}

/** Fails for each of `names` that `known` does not have. */
export function assertKnown(names, known, message) {
  assert.deepEqual(missing(names, known), [], message);
}

/** Returns a changed copy. */
export function spoilt(value, change) {
  const copy = structuredClone(value);
  change(copy);
  return copy;
}
