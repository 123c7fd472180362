// The admin page in a browser, on the real components.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';

import { launch, skip } from './chromium.js';
import { ADMIN_TOKEN, GATEWAY_URL, createKey } from './support.js';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TEAM = `admin page ${Date.now()}`;
const browser = skip ? undefined : await launch();
after(() => browser?.close());

/** Opens the page; whatever appears in its console later is in `messages`. */
async function open(hash = '', options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options });
  page.messages = [];
  page.on('console', (message) => page.messages.push(message.text()));
  page.on('pageerror', (error) => page.messages.push(error.message));
  await page.goto(`${GATEWAY_URL}/admin${hash}`);
  return page;
}

async function signIn(page, token = ADMIN_TOKEN) {
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function openAsAdmin(hash, options) {
  const page = await open(hash, options);
  await signIn(page);
  return page;
}

/** Checks that nothing was written to the console, and closes the page. */
async function close(page) {
  assert.deepEqual(page.messages, []);
  await page.close();
}

/** Checks the page with axe: WCAG 2.2 A and AA, and its best practices. */
async function checkAccessible(page, where) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  const found = violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
  assert.deepEqual(found, [], where);
}

/** Creates a key with the form, and returns it. */
async function createWithForm(page, name) {
  await page.getByLabel('Team', { exact: true }).fill(TEAM);
  await page.getByLabel('Name of the key').fill(name);
  await page.getByLabel('Requests per minute').fill('50');
  await page.getByRole('button', { name: 'Add a budget' }).click();
  await page.getByLabel('Amount of the budget').fill('100000');
  await page.getByLabel('Unit of the budget').selectOption('tokens');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByRole('heading', { name: 'Copy the key now' }).waitFor();
  return page.locator('#new-key').textContent();
}

const keyRow = (page, name) => page.getByRole('table', { name: 'Keys' }).locator('tbody tr', { hasText: name });

const openTeam = async (page) => {
  await page.goto(`${GATEWAY_URL}/admin#/teams/${encodeURIComponent(TEAM)}`);
  await page.getByRole('table', { name: 'Keys' }).waitFor();
};

async function chat(key) {
  const response = await fetch(`${GATEWAY_URL}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello!' }] }),
  });
  return response.status;
}

test('a key with limits is created, copied, used, and its use is seen', { skip }, async () => {
  const page = await openAsAdmin('#/new', { permissions: ['clipboard-read', 'clipboard-write'] });
  const key = await createWithForm(page, 'first');
  assert.match(key, /^sk_[0-9a-f]{64}$/);
  await page.getByRole('button', { name: 'Copy the key' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  for (const client of ['Python', 'Node.js', 'Claude Code', 'Codex', 'Gemini CLI', 'curl']) {
    await page.getByRole('tab', { name: client, exact: true }).click();
    assert.ok((await page.getByRole('tabpanel').textContent()).includes(key), client);
  }
  assert.equal(await chat(key), 200);

  const row = keyRow(page, 'first');
  await openTeam(page);
  // The gateway counts when the client has its response already.
  await waitUntil(page, () => row.getByText('today').count());
  const text = await row.textContent();
  assert.match(text, /active/);
  assert.match(text, /of 100K tokens per month/);
  assert.match(text, /50 requests\/minute/);
  assert.doesNotMatch(text, / 0 of 100K/);

  await page.goto(`${GATEWAY_URL}/admin#/teams`);
  await page.getByLabel('Find a team').fill(TEAM);
  const team = page.getByRole('table', { name: 'Teams' }).locator('tbody tr');
  await page.getByText('1 of 1 teams').waitFor();
  await team.locator('svg.chart').waitFor();
  assert.equal(await team.count(), 1);
  await close(page);
});

/** Loads the team's keys again until `condition` is true. */
async function waitUntil(page, condition) {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await condition()) return;
    await page.reload();
    await signIn(page);
    await page.getByRole('table', { name: 'Keys' }).waitFor();
  }
  assert.fail('the condition never became true');
}

test('a key is rotated, disabled, enabled and revoked', { skip }, async () => {
  const { apiKey } = await createKey({ teamId: TEAM, name: 'second' });
  const page = await openAsAdmin(`#/teams/${encodeURIComponent(TEAM)}`);
  await page.getByRole('button', { name: 'Rotate second' }).click();
  await page.getByLabel('The old key stays valid for').selectOption('One hour');
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  await page.getByRole('heading', { name: 'Copy the key now' }).waitFor();
  const rotated = await page.locator('#new-key').textContent();
  assert.notEqual(rotated, apiKey);
  assert.deepEqual([await chat(apiKey), await chat(rotated)], [200, 200]);
  await keyRow(page, 'replaced, until').waitFor();

  const current = keyRow(page, 'second').filter({ hasText: 'active' });
  await current.getByRole('button', { name: 'Disable' }).click();
  await keyRow(page, 'disabled').waitFor();
  assert.equal(await chat(rotated), 401);
  await keyRow(page, 'disabled').getByRole('button', { name: 'Enable' }).click();
  await page.getByText('Enabled').waitFor();
  assert.equal(await chat(rotated), 200);

  await current.getByRole('button', { name: 'Revoke' }).click();
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Revoke' });
  assert.ok(await confirm.isDisabled());
  const label = await page.getByRole('dialog').locator('label').textContent();
  await page.getByRole('dialog').getByRole('textbox').fill(label.split(' ').at(-1));
  await confirm.click();
  await page.getByText('Revoked').waitFor();
  assert.equal(await chat(rotated), 401);
  await close(page);
});

test('the limits of a team are set and cleared', { skip }, async () => {
  await createKey({ teamId: TEAM, name: 'third' });
  const page = await openAsAdmin(`#/teams/${encodeURIComponent(TEAM)}`);
  await page.getByRole('button', { name: 'Change limits' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Requests per minute').fill('0');
  await dialog.getByRole('button', { name: 'Save' }).click();
  // The browser refuses a number below the least.
  assert.ok(await dialog.isVisible());
  await dialog.getByLabel('Requests per minute').fill('70');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('70 requests/minute').waitFor();
  await page.getByRole('button', { name: 'Change limits' }).click();
  await dialog.getByLabel('Requests per minute').fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByLabel('The whole team').getByText('none').waitFor();
  await close(page);
});

test('an error appears at the field that causes it', { skip }, async () => {
  const page = await openAsAdmin('#/new');
  await page.getByLabel('Team', { exact: true }).fill('a'.repeat(500));
  await page.getByRole('button', { name: 'Create key' }).click();
  const error = page.locator('[data-field=teamId] .error');
  await error.waitFor();
  assert.match(await error.textContent(), /teamId/);
  // The browser itself reports the 400.
  page.messages = page.messages.filter((message) => !message.includes('400'));
  await close(page);
});

test('a request is explained', { skip }, async () => {
  const { id } = await createKey({ teamId: TEAM, models: ['gpt-4o'], limits: { parallelRequests: 3 } });
  const page = await openAsAdmin(`#/why/${id}`);
  for (const [model, verdict] of [['gpt-4o', 'Allowed'], ['o3', 'Refused']]) {
    await page.getByLabel('Model').fill(model);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByRole('heading', { name: verdict }).waitFor();
  }
  await close(page);
});

test('health shows the providers that a key reaches', { skip }, async () => {
  const { apiKey } = await createKey({ teamId: TEAM, providers: ['openai'] });
  const page = await openAsAdmin('#/health');
  await page.getByRole('heading', { name: 'The gateway is ready' }).waitFor();
  await page.getByLabel('Team key').fill(apiKey);
  await page.getByRole('button', { name: 'Try' }).click();
  const row = (name) => page.getByRole('table', { name: 'Providers' }).locator('tbody tr', { hasText: name });
  await row('openai').getByText(/responds: \d+ models/).waitFor();
  await row('bedrock').getByText('the key may not use it').waitFor();
  await close(page);
});

test('the holder of a key sees and rotates it without the admin token', { skip }, async () => {
  const { apiKey } = await createKey({ teamId: TEAM, name: 'mine', limits: { requestsPerMinute: 9 } });
  const page = await open('#/mykey');
  await page.getByLabel('Team key').fill(apiKey);
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByText('0 of 9 requests per minute').waitFor();
  await page.getByText('openai/gpt-4o', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('heading', { name: 'Copy the key now' }).waitFor();
  assert.equal(await chat(await page.locator('#new-key').textContent()), 200);
  assert.equal(await chat(apiKey), 401);
  await close(page);
});

test('the month is exported as CSV', { skip }, async () => {
  const page = await openAsAdmin('#/teams');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export this month' }).click(),
  ]);
  const text = await readFile(await download.path(), 'utf8');
  assert.match(text, /^period,teamId,key,requests,/);
  assert.ok(text.split('\r\n').some((line) => line.includes(`"${TEAM}"`)), text);
  await close(page);
});

test('a wrong token is refused, and a kept one survives a reload', { skip }, async () => {
  const page = await open();
  await signIn(page, 'wrong-token');
  await page.getByText('This is not the admin token.').waitFor();
  page.messages = page.messages.filter((message) => !message.includes('401'));
  await page.getByLabel('Keep it until this tab is closed').check();
  await signIn(page);
  await page.getByRole('heading', { name: 'Teams' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Teams' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length]), ['', 0]);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.reload();
  await page.getByLabel('Admin token').waitFor();
  await close(page);
});

test('nothing violates the rules of accessibility, in both themes and sizes', { skip }, async () => {
  const { id } = await createKey({ teamId: TEAM, note: 'n', limits: { budgets: [{ unit: 'tokens', amount: 5, window: 'day' }] } });
  for (const [colorScheme, width] of [['light', 1440], ['dark', 1440], ['light', 390], ['dark', 390]]) {
    // The policy of the page refuses the script of the test, too.
    const page = await open('', { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    await checkAccessible(page, 'sign in');
    await signIn(page);
    const screens = ['teams', `teams/${encodeURIComponent(TEAM)}`, 'new', `why/${id}`, 'health', 'mykey'];
    for (const screen of screens) {
      await page.goto(`${GATEWAY_URL}/admin#/${screen}`);
      await page.waitForLoadState('networkidle');
      await checkAccessible(page, `${screen} ${colorScheme} ${width}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${screen} is ${overflow} pixels too wide at ${width}`);
    }
    await page.close();
  }
});

test('the policy of the page refuses any other script, style and connection', { skip }, async () => {
  const page = await open();
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.injected = 1';
    document.body.append(script);
    const image = document.createElement('img');
    image.setAttribute('onerror', 'window.injected = 2');
    image.src = 'x';
    document.body.append(image);
    const elsewhere = await fetch('http://127.0.0.1:9/').catch(() => 'refused');
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [window.injected, elsewhere];
  });
  assert.deepEqual(ran, [undefined, 'refused']);
  assert.ok(page.messages.some((message) => message.includes('Content Security Policy')));
  await page.close();
});

test('names of teams are text, whatever they are', { skip }, async () => {
  const name = `<img src=x onerror=alert(1)> & "q" ${Date.now()}`;
  await createKey({ teamId: name, name: '<b>bold</b>' });
  const page = await openAsAdmin(`#/teams/${encodeURIComponent(name)}`);
  await page.getByRole('heading', { name }).waitFor();
  await keyRow(page, '<b>bold</b>').waitFor();
  assert.equal(await page.locator('main img, main b').count(), 0);
  await close(page);
});
