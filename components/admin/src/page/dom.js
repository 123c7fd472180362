/** Creates an element with properties, listeners (`onclick`) and children: elements, or text, never HTML. */
function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') node[name] = value;
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const byId = (id) => document.getElementById(id);

/** Says something that a screen reader reads, and that goes away. */
function say(text) {
  byId('status').textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (byId('status').textContent = ''), 4000);
}

/** Runs `work` for a click, with the button disabled meanwhile. An error appears after the button. */
function action(label, work, props = {}) {
  const button = el('button', { type: 'button', ...props, onclick: () => busy(button, work) }, label);
  return button;
}

async function busy(button, work) {
  if (button.disabled) return;
  button.disabled = true;
  button.parentElement?.querySelector('.notice')?.remove();
  try {
    await work();
  } catch (error) {
    report(error, button.closest('form') ?? button.parentElement);
  } finally {
    button.disabled = false;
  }
}

/** Shows an error next to its cause: at the field that it names, else in `place`. */
function report(error, place) {
  const field = error.param && place.querySelector?.(`[data-field="${CSS.escape(error.param)}"]`);
  if (field) return fieldError(field, error.message);
  place.querySelector('.notice')?.remove();
  place.append(el('p', { class: 'notice', role: 'alert' }, error.message));
}

function fieldError(field, message) {
  field.querySelector('.error')?.remove();
  field.append(el('p', { class: 'error', role: 'alert' }, message));
  field.querySelector('input, select, textarea')?.focus();
}

let fields = 0;

/** Creates a field: a label, its control and a hint. `name` is the parameter that errors name. */
function field(label, control, { hint, name } = {}) {
  control.id ||= `field-${++fields}`;
  const note = hint && el('p', { class: 'hint', id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute('aria-describedby', note.id);
  return el('div', { class: 'field', 'data-field': name }, el('label', { for: control.id }, label), control, note);
}

function check(label, props) {
  const input = el('input', { type: 'checkbox', ...props });
  return { input, node: el('label', { class: 'check' }, input, label) };
}

function select(options, props) {
  const list = options.map(([value, text]) => el('option', { value }, text ?? value));
  return el('select', props, list);
}

/** Creates a table. Each column is `[title, cell, class]`; the first cell of a row is its header. */
function table(caption, columns, rows) {
  const head = columns.map(([title, , kind]) => el('th', { scope: 'col', class: kind }, title));
  const cells = (row) =>
    columns.map(([title, cell, kind], index) =>
      index === 0
        ? el('th', { scope: 'row', class: kind }, cell(row))
        : el('td', { class: kind, 'data-label': title || null }, cell(row)),
    );
  const body = el('tbody', {}, rows.map((row) => el('tr', {}, cells(row))));
  return el('div', { class: 'table wide' },
    el('table', { 'aria-label': caption }, el('thead', {}, el('tr', {}, head)), body));
}

const facts = (pairs) =>
  el('dl', { class: 'facts' }, pairs.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));

const link = (href, text, props) => el('a', { href, ...props }, text);

/** A button that copies `text`. */
function copyButton(text, label = 'Copy') {
  return action(label, async () => {
    await copyText(text);
    say('Copied');
  });
}

/** Copies `text`, also where the browser's clipboard needs HTTPS. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el('textarea', { value: text, 'aria-hidden': 'true' });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
