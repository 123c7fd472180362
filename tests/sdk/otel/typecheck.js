// Checks dashboards against Grafana's types, with the TypeScript compiler.
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const TYPES = `${FOLDER}types.ts`;

/** The modules that describe panels. Those without options for fields have no `FieldConfig`. */
const PANELS = {
  bargauge: { module: 'BarGaugePanelCfg_types.gen', fields: 'object' },
  stat: { module: 'StatPanelCfg_types.gen', fields: 'object' },
  table: { module: 'TablePanelCfg_types.gen', fields: 'table.FieldConfig' },
  timeseries: { module: 'TimeSeriesPanelCfg_types.gen', fields: 'timeseries.FieldConfig' },
};

/** The types of a dashboard in JSON. `Json` replaces enums with their values. */
const TYPES_SOURCE = `
import type { Dashboard, Panel } from '@grafana/schema';
${linesOf(
  ([type, { module }]) =>
    `import type * as ${type} from '@grafana/schema/dist/esm/raw/composable/${type}/panelcfg/x/${module}';`,
)}
type Json<T> =
  T extends string ? \`\${T}\`
  : T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends (infer Item)[] ? Json<Item>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;
type DataSource = { type: 'prometheus'; uid: '\${datasource}' };
type Target = {
  refId: string; datasource: DataSource; expr: string; legendFormat: string;
  instant?: boolean; range?: boolean; format?: 'table' | 'time_series' | 'heatmap';
};
type Fields = Json<NonNullable<Panel['fieldConfig']>>;
type PanelOf<Type, Options, Custom> =
  Omit<Json<Panel>, 'datasource' | 'fieldConfig' | 'options' | 'targets' | 'type'> & {
    id: number; type: Type; title: string; datasource: DataSource; targets: Target[];
    options: Json<Partial<Options>>;
    fieldConfig: {
      defaults: Omit<Fields['defaults'], 'custom'> & { custom?: Json<Partial<Custom>> };
      overrides: Fields['overrides'];
    };
  };
export type DashboardJson = Json<Omit<Dashboard, 'panels'>>;
export type PanelJson = {
${linesOf(([type, { fields }]) => `  ${type}: PanelOf<'${type}', ${type}.Options, ${fields}>;`)}
};
`;

const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

function linesOf(write) {
  return Object.entries(PANELS).map(write).join('\n');
}

/** Returns TypeScript in which the dashboard and each of its panels is a literal with a type. */
function sourceOf({ panels, ...dashboard }) {
  const literal = (name, type, value) =>
    `export const ${name}: ${type} = ${JSON.stringify(value, null, 2)};`;
  return [
    "import type { DashboardJson, PanelJson } from './types';",
    literal('dashboard', 'DashboardJson', dashboard),
    ...panels.map((panel, i) => literal(`panel${i}`, `PanelJson['${panel.type}']`, panel)),
  ].join('\n');
}

/** Returns a compiler host that also has the files of `sources`, which are not on disk. */
function hostOf(sources) {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  // `getSourceFile` calls this function too.
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  return host;
}

/** Returns the line of an error, and its message. */
function describe({ file, start, messageText }) {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (!file) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${file.text.split('\n')[line].trim()} ${message}`;
}

/** Returns the errors of each dashboard. It checks all of them in one run, which takes a second. */
export function typeErrors(dashboards) {
  const names = dashboards.map((_, index) => `${FOLDER}dashboard${index}.ts`);
  const sources = new Map([[TYPES, TYPES_SOURCE]]);
  names.forEach((name, index) => sources.set(name, sourceOf(dashboards[index])));
  const program = ts.createProgram([...sources.keys()], OPTIONS, hostOf(sources));
  const errorsOf = (name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name));
  const errorsOfTypes = errorsOf(TYPES);
  return names.map((name) => [...errorsOfTypes, ...errorsOf(name)].map(describe));
}
