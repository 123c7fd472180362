// Reads the queries, with the grammars of the query editors of Prometheus and Grafana.

import { parser as logql } from '@grafana/lezer-logql';
import { parser as promql } from '@prometheus-io/lezer-promql';

import { ALERTS, DASHBOARD, LOKI, matchesOf } from './support.js';

/**
 * Values for the variables that Grafana itself sets.
 * https://grafana.com/docs/grafana/latest/visualizations/dashboards/variables/global-variables/
 */
const INTERVALS = { $__rate_interval: '5m', $__range: '6h' };

/** The LogQL of loki.md. */
export const LOGQL = matchesOf(/```logql\n([^`]+)\n```/g, LOKI);

/** The PromQL of the dashboard and of the alerts, with the labels that its legend or text shows. */
export function readPromql(dashboard = DASHBOARD, alerts = ALERTS) {
  const variables = dashboard.templating.list.filter(({ type }) => type === 'query');
  return [
    ...variables.map(({ name, query }) => ({
      from: `variable ${name}`,
      ...ofVariable(query.query),
    })),
    ...dashboard.panels.flatMap(({ title, targets }) =>
      targets.map((target) => ({ from: `panel "${title}" ${target.refId}`, ...ofTarget(target) })),
    ),
    ...alerts.map((alert) => ({ from: `alert ${alert.alert}`, ...ofAlert(alert) })),
  ];
}

/** Replaces Grafana's `label_values(metric, label)` with PromQL that has the same names. */
function ofVariable(query) {
  return { query: query.replace(/^label_values\((.+), (\w+)\)$/, 'group by ($2) ($1)'), shown: [] };
}

function ofTarget({ expr, legendFormat }) {
  const query = expr.replace(/\$__\w+/g, (name) => INTERVALS[name] ?? name);
  return { query, shown: [...legendFormat.matchAll(/\{\{(.*?)\}\}/g)].map(([, label]) => label) };
}

function ofAlert({ expr, annotations }) {
  const shown = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)];
  return { query: expr, shown: shown.map(([, label]) => label) };
}

/** Returns the nodes with a name, from `node` on. */
function nodesOf(node, name) {
  const found = [];
  node.cursor().iterate((it) => {
    if (it.name === name) found.push(it.node);
  });
  return found;
}

/** Returns where a parser does not understand a query. */
function errorsOf(parser, query) {
  const errors = nodesOf(parser.parse(query).topNode, '⚠');
  return errors.map(({ from }) => `at ${from} of ${query}`);
}

export const promqlErrors = (query) => errorsOf(promql, query);
export const logqlErrors = (query) => errorsOf(logql, query);

/** Returns the names that a query in LogQL uses: labels and fields. */
export function logqlNames(query) {
  const found = nodesOf(logql.parse(query).topNode, 'Identifier');
  return found.map(({ from, to }) => query.slice(from, to));
}

/**
 * Returns the names that a query in PromQL uses: `selectors` has metrics with the labels in braces,
 * and `groupings` has the labels of each `by` with the metrics that must have them.
 */
export function promqlNames(query) {
  const root = promql.parse(query).topNode;
  const textOf = ({ from, to }) => query.slice(from, to);
  const labelsOf = (node) => nodesOf(node, 'LabelName').map(textOf);
  const metricOf = (selector) => textOf(selector.getChild('Identifier'));
  const selectors = nodesOf(root, 'VectorSelector');
  const groupings = nodesOf(root, 'GroupingLabels');
  return {
    selectors: selectors.map((it) => ({ metric: metricOf(it), labels: labelsOf(it) })),
    groupings: groupings.map((it) => ({
      labels: labelsOf(it),
      metrics: nodesOf(it.parent.parent, 'VectorSelector').map(metricOf),
    })),
  };
}
