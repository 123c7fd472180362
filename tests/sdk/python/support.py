"""The environment of the tests, and the functions that all of them use."""

import json
import os
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

# No response takes longer, unless something between client and upstream buffers it.
PATIENCE_SECONDS = 10

MODEL = "gpt-4o-mini"

SETTINGS = ("GATEWAY_URL", "SIMULATOR_URL", "ADMIN_TOKEN")


PROJECT = Path(__file__).parents[3]


def _providers():
    components = tomllib.loads((PROJECT / "spin.toml").read_text())["component"]
    return [
        name
        for name, component in components.items()
        if "{{ ai_gateway_host }}" in component.get("allowed_outbound_hosts", [])
    ]


# The components of spin.toml that may call the AI Gateway. Each has its models in
# tests/models.json.
PROVIDERS = _providers()

_MODELS = json.loads((PROJECT / "tests" / "models.json").read_text())


def models_of(provider):
    """Returns the models of a provider; fails for one that tests/models.json does not have."""
    assert provider in _MODELS, f"add the models of {provider} to tests/models.json"
    return _MODELS[provider]


def setting(name):
    """Returns a variable of the environment, without a trailing slash."""
    return os.environ[name].rstrip("/")


def post(url, bearer=None, body=None):
    """Sends a POST request; returns the status, whatever it is, and the JSON body."""
    headers = {"content-type": "application/json"}
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    data = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def create_key(**fields):
    """Creates a key and returns the gateway's record of it."""
    body = fields or {"teamId": "sdk-python"}
    status, key = post(f"{setting('GATEWAY_URL')}/tokens", setting("ADMIN_TOKEN"), body)
    assert status == 201, key
    return key


def open_gate(name):
    """Lets a response of the simulated upstream that waits at the gate `name` continue."""
    status, _ = post(f"{setting('SIMULATOR_URL')}/-/gates/{name}")
    assert status == 200


def unique(name):
    """Returns a name that no other test uses."""
    return f"python-{name}-{uuid4()}"


def chat(content, **more):
    """Returns a chat request with one message."""
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **more}


def simulate(what):
    """Returns headers that ask the simulated upstream for `what`."""
    return {"x-simulate": what}


def text_of(chunks):
    """Concatenates the text of chat chunks."""
    deltas = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    return "".join(delta or "" for delta in deltas)
