/** Ready lines for clients, with the key in them. */
function snippets({ apiKey: key, providers, models = [] }) {
  const origin = location.origin;
  const may = (provider) => !providers || providers.includes(provider);
  const chat = providers && !may('openai') ? providers[0] : 'openai';
  const base = `${origin}/${chat}/v1`;
  const model = models.find((name) => !name.includes('*')) ?? (chat === 'openai' ? 'gpt-4o-mini' : 'MODEL');
  const all = {
    curl: [chat, `curl ${base}/chat/completions \\
  -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello!"}]}'`],
    Python: [chat, `from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
completion = client.chat.completions.create(
    model="${model}", messages=[{"role": "user", "content": "Hello!"}]
)
print(completion.choices[0].message.content)`],
    'Node.js': [chat, `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${base}', apiKey: '${key}' });
const completion = await client.chat.completions.create({
  model: '${model}', messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(completion.choices[0].message.content);`],
    'Claude Code': ['anthropic', `export ANTHROPIC_BASE_URL=${origin}/anthropic
export ANTHROPIC_API_KEY=${key}`],
    Codex: ['openai', `# ~/.codex/config.toml
model_provider = "gateway"

[model_providers.gateway]
name = "gateway"
base_url = "${origin}/openai/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"

# shell
export GATEWAY_KEY=${key}`],
    'Gemini CLI': ['google', `export GOOGLE_GEMINI_BASE_URL=${origin}/google
export GEMINI_API_KEY=${key}`],
  };
  return Object.entries(all).filter(([, [provider]]) => may(provider)).map(([name, [, text]]) => [name, text]);
}

/** Tabs with one snippet each. */
function snippetTabs(created) {
  const entries = snippets(created);
  const code = el('pre', { tabindex: '0', role: 'tabpanel', id: 'snippet', 'aria-label': 'Lines for the client' });
  const copy = el('div', { class: 'row' });
  const tabs = entries.map(([name, text]) =>
    el('button', { type: 'button', role: 'tab', 'aria-controls': 'snippet', onclick: () => show(name, text) }, name));
  const show = (name, text) => {
    for (const tab of tabs) {
      const isShown = tab.textContent === name;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
    }
    code.textContent = text;
    copy.replaceChildren(copyButton(text, 'Copy the lines'));
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length].focus();
  };
  show(...entries[0]);
  return el('div', {}, el('div', { role: 'tablist', 'aria-label': 'Client', onkeydown: move }, tabs), code, copy);
}

/** Shows a new key, the one time that this is possible. */
function showNewKey(created) {
  return el('section', { class: 'panel' },
    el('h2', { tabindex: '-1' }, 'Copy the key now'),
    el('p', {}, 'It is not shown again: the gateway keeps only its hash.'),
    el('div', { class: 'row' }, el('code', { class: 'secret', id: 'new-key' }, created.apiKey), copyButton(created.apiKey, 'Copy the key')),
    el('p', { class: 'soft' }, `Key ${created.name} of ${created.teamId}, id ${created.id}`),
    snippetTabs(created));
}

/** Shows a new key in `place`, where the focus goes. */
function showThere(place, created) {
  place.replaceChildren(showNewKey(created));
  place.scrollIntoView();
  place.querySelector('h2').focus();
}
