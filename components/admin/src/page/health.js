/** The screen that says whether the gateway can serve requests. */
function healthScreen() {
  const place = el('div', {});
  const providers = el('div', {});
  loadHealth(place);
  settings().then((known) => providers.replaceChildren(providersForm(known)), (error) => report(error, providers));
  return el('div', {}, el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, 'Health')), place, providers);
}

async function loadHealth(place) {
  try {
    const { status, problems = [] } = await call('GET', '/healthz', { token: null });
    const isReady = status === 'ok';
    place.replaceChildren(el('section', { class: 'panel' },
      el('h2', { class: isReady ? 'good' : 'bad' }, isReady ? 'The gateway is ready' : 'The gateway cannot serve requests'),
      el('ul', {}, problems.map((problem) => el('li', {}, problem))),
      isReady && el('p', { class: 'soft' }, 'Its settings are complete, and the store responds.')));
  } catch (error) {
    report(error, place);
  }
}

/** A form that asks each provider for its models. Only a team key may, because this page has no credential of theirs. */
function providersForm({ providers }) {
  const key = el('input', { type: 'password', autocomplete: 'off', required: true });
  const results = el('div', { role: 'status' });
  const go = el('button', { type: 'submit', class: 'primary' }, 'Try');
  const submit = (event) => {
    event.preventDefault();
    busy(go, async () => {
      const token = key.value.trim();
      const use = await call('GET', '/tokens/self/usage', { token });
      const { providers: scope } = await call('GET', `/tokens/${use.id}`, { token });
      const states = await Promise.all(providers.map((provider) => tryProvider(provider, token, scope)));
      results.replaceChildren(table('Providers', [
        ['Provider', ({ provider }) => provider],
        ['State', ({ text, kind }) => el('span', { class: kind }, text)],
        ['Responded in', ({ millis }) => (millis === undefined ? '' : `${number(millis)} ms`), 'number'],
      ], states));
    });
  };
  return el('form', { class: 'panel', onsubmit: submit },
    el('h2', {}, 'Providers'),
    el('p', { class: 'soft' }, 'Asks each provider for its models, with a team key that may use it.'),
    el('div', { class: 'row ask' }, el('div', { class: 'search' }, field('Team key', key)), go), results);
}

async function tryProvider(provider, token, scope) {
  if (scope && !scope.includes(provider)) return { provider, text: 'the key may not use it', kind: 'soft' };
  const start = performance.now();
  const done = (text, kind) => ({ provider, text, kind, millis: Math.round(performance.now() - start) });
  try {
    const { data } = await call('GET', `/${provider}/models`, { token });
    return done(Array.isArray(data) ? `responds: ${number(data.length)} models` : 'responds', 'good');
  } catch (error) {
    const isUnlisted = error.status === 404 || error.status === 405;
    return isUnlisted ? done('has no list of models', 'soft') : done(error.message, 'bad');
  }
}
