/** Screens by the first part of the address. `isOpen` needs no admin token. */
const SCREENS = {
  teams: { title: 'Teams', show: (id) => (id ? teamScreen(id) : teamsScreen()) },
  new: { title: 'New key', show: newKeyScreen },
  why: { title: 'Why?', show: whyScreen },
  health: { title: 'Health', show: healthScreen },
  mykey: { title: 'My key', show: myKeyScreen, isOpen: true },
};

/** The screen in the address, and its argument. */
function place() {
  const [name, argument] = location.hash.replace(/^#\//, '').split('/');
  const known = Object.hasOwn(SCREENS, name) ? name : 'teams';
  try {
    return [known, argument && decodeURIComponent(argument)];
  } catch {
    return [known];
  }
}

function navigate() {
  const [name, argument] = place();
  const screen = SCREENS[name];
  const isAllowed = screen.isOpen || session.token;
  document.title = `${isAllowed ? screen.title : 'Sign in'} · ai-gateway`;
  showNavigation(name);
  byId('main').replaceChildren(isAllowed ? screen.show(argument) : signInScreen());
  byId('main').querySelector('h1')?.focus();
}

function showNavigation(current) {
  const shown = Object.entries(SCREENS).filter(([, screen]) => session.token || screen.isOpen);
  const links = shown.map(([name, { title }]) =>
    link(`#/${name}`, title, { 'aria-current': name === current ? 'page' : null }));
  const out = session.token && el('button', { type: 'button', class: 'plain', onclick: () => signOut() }, 'Sign out');
  byId('nav').replaceChildren(...links, out || '');
}

function signInScreen() {
  const token = el('input', { type: 'password', autocomplete: 'off', required: true });
  const keep = check('Keep it until this tab is closed');
  const go = el('button', { type: 'submit', class: 'primary' }, 'Continue');
  const error = signOut.reason;
  signOut.reason = undefined;
  const submit = (event) => {
    event.preventDefault();
    busy(go, () => signIn(token.value.trim(), keep.input.checked, tokenField));
  };
  const tokenField = field('Admin token', token, { hint: 'The setting admin_token. It stays in this page.' });
  if (error) tokenField.append(el('p', { class: 'error', role: 'alert' }, error));
  return el('form', { class: 'panel', onsubmit: submit }, el('h1', { tabindex: '-1' }, 'Admin'), tokenField,
    el('p', {}, keep.node), el('p', {}, go));
}

async function signIn(token, isKept, tokenField) {
  try {
    session.settings = await call('GET', '/tokens/settings', { token });
  } catch (error) {
    if (error.status !== 401) throw error;
    return fieldError(tokenField, 'This is not the admin token.');
  }
  session.token = token;
  if (isKept) sessionStorage.setItem(KEPT, token);
  navigate();
}

function signOut(reason) {
  if (!session.token) return;
  session.token = session.settings = null;
  sessionStorage.removeItem(KEPT);
  signOut.reason = reason;
  navigate();
}

addEventListener('hashchange', navigate);
navigate();
