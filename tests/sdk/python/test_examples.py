"""The examples, run as programs against the gateway of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import PATIENCE_SECONDS, PROVIDERS, create_key

EXAMPLES = Path(__file__).parents[3] / "examples" / "python"


def run(provider, gateway_url, key):
    """Runs an example and returns its output and exit status."""
    return subprocess.run(
        [sys.executable, EXAMPLES / provider / "chat.py"],
        env={**os.environ, "GATEWAY_URL": gateway_url, "GATEWAY_KEY": key},
        capture_output=True,
        encoding="utf-8",
        # An interpreter has to start and an SDK to be imported before the request is sent.
        timeout=6 * PATIENCE_SECONDS,
    )


def test_every_provider_has_one_example():
    assert sorted(path.parent.name for path in EXAMPLES.glob("*/*.py")) == sorted(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_example_prints_the_response(gateway_url, provider):
    done = run(provider, gateway_url, create_key()["apiKey"])
    assert done.returncode == 0, done.stderr
    assert "You said: Hello!" in done.stdout


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_example_takes_its_key_from_the_environment(gateway_url, provider):
    done = run(provider, gateway_url, "sk_" + "0" * 64)
    assert done.returncode == 1
    assert "invalid api key" in done.stderr
    assert done.stdout == ""
