// Coding agents, set up as docs/agents.md says. Each returns a response to a prompt through the gateway.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const GATEWAY_URL = setting('GATEWAY_URL');
const ADMIN_TOKEN = setting('ADMIN_TOKEN');

/** An agent starts slowly on a busy machine. */
const PATIENCE_MS = 120_000;

/** The programs of npm's packages and of Python's. */
const PROGRAMS = ['node_modules/.bin', 'node_modules/opencode-linux-x64/bin', '.venv/bin'].map(
  (folder) => fileURLToPath(new URL(folder, import.meta.url)),
);

/** npm has a package of these programs for each platform, and the lock file has this one's. */
const LINUX_ONLY =
  process.platform !== 'linux' || process.arch !== 'x64' ? 'locked for Linux on x64 only' : false;

const DOCUMENT = await readFile(new URL('../../../docs/agents.md', import.meta.url), 'utf8');

const key = await createKey();
const home = await mkdtemp(join(tmpdir(), 'agents-'));
const work = join(home, 'work');
await mkdir(work);
after(() => rm(home, { recursive: true, force: true }));

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need a running gateway.`);
  return value.replace(/\/$/, '');
}

async function createKey() {
  const response = await fetch(`${GATEWAY_URL}/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ teamId: 'sdk-agents' }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).apiKey;
}

/** Returns the code block of docs/agents.md that follows the line `<!-- NAME -->`, for this gateway. */
function block(name) {
  const found = DOCUMENT.match(new RegExp(`<!-- ${name} -->\\n\\n?\`\`\`\\w+\\n([^]*?)\`\`\``));
  assert.ok(found, `docs/agents.md has no block ${name}`);
  return found[1].replaceAll('https://your-gateway', GATEWAY_URL).replaceAll('sk_…', key);
}

/** Returns the variables that a shell block exports. */
function variables(name) {
  const lines = block(name).trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => line.match(/^export (\w+)=(\S+)$/)?.slice(1) ?? assert.fail(line)),
  );
}

/** Returns the words of a shell block with one command. */
function command(name) {
  return block(name).trim().split(/\s+/);
}

/** Writes a file of the agent's configuration. */
async function configure(path, text) {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Runs an agent without a terminal and returns what it prints. */
function run(program, args, env = {}) {
  const own = {
    PATH: [...PROGRAMS, process.env.PATH].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
  };
  const child = spawn(program, args, {
    cwd: work,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  });
  return new Promise((resolve, reject) => {
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${program} ended with ${code}: ${printed}`));
    });
  });
}

test('Claude Code responds to a prompt', async () => {
  const env = { ...variables('claude-code'), CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' };
  const printed = await run('claude', ['-p', 'hello', '--model', 'claude-sonnet-5'], env);
  assert.match(printed, /You said: /);
});

test('Claude Code works with a version in the base URL', async () => {
  const env = { ...variables('claude-code'), CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' };
  env.ANTHROPIC_BASE_URL += '/v1';
  const printed = await run('claude', ['-p', 'hello', '--model', 'claude-sonnet-5'], env);
  assert.match(printed, /You said: /);
});

test('Claude Code responds to a prompt on Bedrock', async () => {
  const env = variables('claude-code-bedrock');
  env.CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC = '1';
  const printed = await run('claude', ['-p', 'hello', '--model', 'claude-sonnet-5'], env);
  assert.match(printed, /You said: /);
});

test('Codex responds to a prompt', async () => {
  await configure('.codex/config.toml', block('codex'));
  const args = ['exec', '--skip-git-repo-check', 'hello'];
  assert.match(await run('codex', args, variables('codex-key')), /You said: hello/);
});

test('Codex responds to a prompt through the one base URL', async () => {
  await configure('.codex/config.toml', block('codex-v1'));
  const args = ['exec', '--skip-git-repo-check', 'hello'];
  assert.match(await run('codex', args, variables('codex-key')), /You said: hello/);
});

test('Codex calls a tool and responds on Bedrock', async () => {
  await configure('.codex/config.toml', block('codex-bedrock'));
  const args = ['exec', '--skip-git-repo-check', '-c', 'model_reasoning_effort=high', 'hello'];
  const printed = await run('codex', args, variables('codex-key'));
  assert.match(printed, /Let me think\./);
  assert.match(printed, /The tool says: /);
});

for (const version of ['', '/v1', '/v1beta', '/v1alpha']) {
  test(`Gemini CLI responds to a prompt with the base URL /google${version}`, async () => {
    await configure('.gemini/settings.json', block('gemini-cli-settings'));
    const env = { ...variables('gemini-cli'), GEMINI_CLI_TRUST_WORKSPACE: 'true' };
    env.GOOGLE_GEMINI_BASE_URL += version;
    assert.match(await run('gemini', ['-p', 'hello', '-m', 'gemini-2.5-flash'], env), /You said: /);
  });
}

// The simulated provider calls the first tool of an agent, and repeats what the tool returned.
const RESPONDED = /(You said|The tool says): /;

test('OpenCode responds to a prompt', { skip: LINUX_ONLY }, async () => {
  await configure('.config/opencode/opencode.json', block('opencode'));
  assert.match(await run('opencode', ['run', 'hello'], variables('opencode-key')), RESPONDED);
});

test('Cline responds to a prompt', { skip: LINUX_ONLY }, async () => {
  const [program, ...args] = command('cline');
  // Without it, Cline leaves a server running.
  const env = { CLINE_SESSION_BACKEND_MODE: 'local' };
  await run(program, args, env);
  assert.match(await run('cline', ['say hello'], env), RESPONDED);
});

test('Continue responds to a prompt', async () => {
  await configure('.continue/config.yaml', block('continue'));
  assert.match(await run('cn', ['-p', 'hello'], { CONTINUE_TELEMETRY_ENABLED: '0' }), RESPONDED);
});

test('aider responds to a prompt', async () => {
  const [program, ...args] = command('aider');
  const script = ['--message', 'hello', '--no-git', '--no-check-update', '--analytics-disable'];
  const printed = await run(program, [...args, ...script], variables('aider-key'));
  assert.match(printed, /You said: /);
});

test('llm responds to a prompt', async () => {
  await configure('.config/io.datasette.llm/extra-openai-models.yaml', block('llm'));
  const [program, ...args] = command('llm-key');
  await run(program, args);
  assert.match(await run('llm', ['-m', 'gateway-gpt-4o', 'hello']), /You said: hello/);
});

test('llm responds to a prompt through the one base URL', async () => {
  await configure('.config/io.datasette.llm/extra-openai-models.yaml', block('llm-v1'));
  const [program, ...args] = command('llm-key');
  await run(program, args);
  assert.match(await run('llm', ['-m', 'gateway-claude', 'hello']), /You said: hello/);
});
