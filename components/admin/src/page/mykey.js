/** The screen for the holder of a key, who needs no admin token. */
function myKeyScreen() {
  const key = el('input', { type: 'password', autocomplete: 'off', required: true, placeholder: 'sk_…' });
  const go = el('button', { type: 'submit', class: 'primary' }, 'Show');
  const result = el('div', {});
  const submit = (event) => {
    event.preventDefault();
    result.replaceChildren();
    busy(go, async () => result.replaceChildren(await myKey(key.value.trim(), result)));
  };
  return el('div', {}, el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, 'My key')),
    el('form', { class: 'panel', onsubmit: submit },
      el('p', { class: 'soft' }, 'Shows what a key has used and may use. The key stays in this page.'),
      el('div', { class: 'row ask' }, el('div', { class: 'search' }, field('Team key', key)), go)),
    result);
}

async function myKey(token, result) {
  const use = await call('GET', '/tokens/self/usage', { token });
  const key = await call('GET', `/tokens/${use.id}`, { token });
  const [state, kind] = stateOf(key);
  const rotate = () => askRotate(key, async (grace, attempt) => {
    showThere(result, await call('POST', `/tokens/refresh?graceSeconds=${grace}`, { token, attempt }));
  });
  const models = el('div', {});
  loadModels(token, models);
  return el('section', { class: 'panel', 'aria-label': 'My key' },
    el('div', { class: 'row spread' }, el('h2', {}, key.name),
      el('button', { type: 'button', onclick: rotate }, 'Rotate')),
    facts([
      ['Team', key.teamId], ['State', el('span', { class: kind }, state)],
      ['Expires', key.expiresAt ? date(key.expiresAt) : 'never'], ['Last used', lastUsed(key)],
      ['May use', scopeText(key)],
      ...(key.counted && use.today ? [['Today', `${number(use.today.requests)} requests · ${short(tokens(use.today))} tokens · ${costText(use.today)}`]] : []),
    ]),
    el('h2', {}, 'Limits'), use.limits.length ? meters(use.limits, true) : el('p', { class: 'soft' }, 'none'),
    el('h2', {}, 'Models'), models);
}

async function loadModels(token, place) {
  try {
    const { data } = await call('GET', '/v1/models', { token });
    place.replaceChildren(data.length
      ? el('div', { class: 'row' }, data.map((model) => el('span', { class: 'tag mono' }, model.id)))
      : el('p', { class: 'soft' }, 'No provider lists a model that this key may use.'));
  } catch (error) {
    report(error, place);
  }
}
