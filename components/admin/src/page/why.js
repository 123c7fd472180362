/** The screen that asks whether a request would be allowed. */
function whyScreen(id = '') {
  const place = el('div', {});
  settings().then((known) => place.replaceChildren(whyForm(id, known)), (error) => report(error, place));
  return el('div', {}, el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, 'Why?')),
    el('p', { class: 'soft' }, 'Asks what the gateway would say to a request, without sending it.'), place);
}

function whyForm(id, known) {
  const key = el('input', { value: id, required: true, class: 'mono', autocomplete: 'off', spellcheck: 'false', pattern: '[0-9a-f]{32}' });
  const provider = select(known.providers.map((name) => [name]));
  const model = el('input', { required: true, autocomplete: 'off', spellcheck: 'false', list: 'models' });
  const models = el('datalist', { id: 'models' }, known.models.map((value) => el('option', { value })));
  const go = el('button', { type: 'submit', class: 'primary' }, 'Ask');
  const verdict = el('div', { role: 'status' });
  const submit = (event) => {
    event.preventDefault();
    verdict.replaceChildren();
    busy(go, async () => {
      const body = { provider: provider.value, model: model.value.trim() };
      verdict.append(showVerdict(await call('POST', `/tokens/${encodeURIComponent(key.value.trim())}/explain`, { body })));
    });
  };
  const form = el('form', { class: 'panel', onsubmit: submit },
    el('div', { class: 'grid' }, field('Id of the key', key, { hint: '32 digits, in the list of a team’s keys.' }),
      field('Provider', provider), field('Model', model, { name: 'model' }), models),
    el('p', {}, go));
  return el('div', {}, form, verdict);
}

function showVerdict({ allowed, rule, sentModel, limits = [] }) {
  const text = allowed ? 'Allowed' : 'Refused';
  return el('section', { class: 'panel', 'aria-label': 'Verdict' },
    el('h2', { class: allowed ? 'good' : 'bad' }, text),
    facts([['Rule', rule], ...(sentModel ? [['Model that is sent', sentModel]] : [])]),
    limits.length > 0 && el('h2', {}, 'Limits'), meters(limits, true));
}
