/** Where the admin token is kept if the admin asks for it: until the tab is closed. */
const KEPT = 'ai-gateway.admin-token';

const session = { token: sessionStorage.getItem(KEPT), settings: null };

class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code, param: error.param });
  }
}

/** Calls the gateway with the admin token, or with another `token`, and returns the response. */
async function request(method, path, { token = session.token, body, accept = 'application/json', attempt } = {}) {
  // Addresses are in the logs of whatever is in front of the gateway.
  if (/sk_[0-9a-f]{8}/.test(path)) {
    throw new ApiError(0, { message: 'This looks like a key. Use its id, or the name of the team.' });
  }
  const headers = { accept };
  if (attempt) headers['idempotency-key'] = attempt;
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
  }).catch(() => {
    throw new ApiError(0, { message: 'The gateway does not respond. Check that it is running, and try again.' });
  });
  if (response.ok || response.status === 503 && path === '/healthz') return response;
  throw await failure(response, token);
}

async function failure(response, token) {
  const { error } = await response.json().catch(() => ({}));
  if (response.status === 401 && token === session.token) signOut('The admin token is wrong. Type it again.');
  return new ApiError(response.status, error ?? { message: `The gateway responded with ${response.status}.` });
}

async function call(method, path, options) {
  const response = await request(method, path, options);
  return response.status === 204 ? null : response.json();
}

/** A name for an operation that must not be carried out twice, however often it is sent. */
function newAttempt() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '' && value !== null);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** The settings that forms need, read once. */
async function settings() {
  session.settings ??= await call('GET', '/tokens/settings');
  return session.settings;
}

/** Downloads the use of this month as CSV, all pages in one file. */
async function exportCsv(parameters) {
  const parts = [];
  let cursor;
  do {
    const page = await request('GET', `/tokens/usage${query({ ...parameters, limit: 5000, cursor })}`, { accept: 'text/csv' });
    const text = await page.text();
    parts.push(cursor ? text.slice(text.indexOf('\n') + 1) : text);
    cursor = page.headers.get('x-next-cursor');
  } while (cursor);
  const href = URL.createObjectURL(new Blob(parts, { type: 'text/csv' }));
  el('a', { href, download: `ai-gateway-usage-${today()}.csv` }).click();
  URL.revokeObjectURL(href);
}
