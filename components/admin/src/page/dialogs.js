/** Asks in a dialog, and carries out `work` when the admin confirms; resolves when the dialog is closed. */
function ask({ title, content, confirm, work, isDangerous, check: isReady = () => true }) {
  return new Promise((resolve) => {
    const go = el('button', { type: 'submit', class: isDangerous ? 'danger' : 'primary' }, confirm);
    const cancel = el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
    const update = () => (go.disabled = !isReady());
    const submit = (event) => {
      event.preventDefault();
      busy(go, async () => {
        await work();
        dialog.close();
      });
    };
    const form = el('form', { onsubmit: submit, oninput: update }, content, el('div', { class: 'row' }, cancel, go));
    const heading = el('h2', { id: 'dialog-title' }, title);
    const dialog = el('dialog', { 'aria-labelledby': 'dialog-title' }, heading, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    update();
    dialog.showModal();
  });
}

function askRevoke(key, done) {
  const typed = el('input', { autocomplete: 'off', spellcheck: 'false', class: 'mono' });
  return ask({
    title: 'Revoke this key?',
    content: [
      el('p', {}, `Requests with the key ${key.name} fail from now on. This cannot be undone.`),
      field(`Type the id ${key.id}`, typed),
    ],
    confirm: 'Revoke', isDangerous: true,
    check: () => typed.value.trim() === key.id,
    work: async () => done(await call('DELETE', `/tokens/${key.id}`)),
  });
}

const GRACE = [['0', 'It ends now'], ['3600', 'One hour'], ['86400', 'One day'], ['604800', 'One week']];

/** Asks how long the old key stays valid, and rotates: `send` gets the seconds. */
function askRotate(key, send) {
  const grace = select(GRACE);
  const attempt = newAttempt();
  return ask({
    title: 'Rotate this key?',
    content: [
      el('p', {}, `A new key replaces ${key.name}. It has the same rights, limits and use.`),
      field('The old key stays valid for', grace),
    ],
    confirm: 'Rotate',
    work: () => send(grace.value, attempt),
  });
}
