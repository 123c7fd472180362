"""The examples, run as programs against the gateway of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import PATIENCE_SECONDS, create_key

EXAMPLES = Path(__file__).parents[3] / "examples" / "python"

PROVIDERS = ["anthropic", "azure", "bedrock", "google", "openai", "workers-ai"]


def run(provider, gateway_url, key):
    """What the example printed, and how it ended."""
    return subprocess.run(
        [sys.executable, EXAMPLES / provider / "chat.py"],
        env={**os.environ, "GATEWAY_URL": gateway_url, "GATEWAY_KEY": key},
        capture_output=True,
        encoding="utf-8",
        # Besides the answer there is an interpreter to start and an SDK to import.
        timeout=6 * PATIENCE_SECONDS,
    )


def test_every_example_is_run_here():
    assert sorted(path.parent.name for path in EXAMPLES.glob("*/*.py")) == PROVIDERS


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_example_prints_the_answer(gateway_url, provider):
    done = run(provider, gateway_url, create_key()["apiKey"])
    assert done.returncode == 0, done.stderr
    assert "You said: Hello!" in done.stdout


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_example_takes_its_key_from_the_environment(gateway_url, provider):
    done = run(provider, gateway_url, "sk_" + "0" * 64)
    assert done.returncode == 1
    assert "invalid api key" in done.stderr
    assert done.stdout == ""
