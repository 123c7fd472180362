import os

import pytest
from openai import OpenAI

from support import PATIENCE_SECONDS, SETTINGS, create_key, setting


def pytest_configure():
    missing = [name for name in SETTINGS if not os.environ.get(name)]
    if missing:
        raise pytest.UsageError(
            f"{', '.join(missing)} not set in the environment: these tests need a running gateway."
        )


@pytest.fixture(scope="session")
def gateway_url():
    return setting("GATEWAY_URL")


@pytest.fixture(scope="session")
def new_client(gateway_url):
    """Creates clients, each with a new key unless one is given."""
    clients = []

    def make(api_key=None, base_url=f"{gateway_url}/openai", **options):
        client = OpenAI(
            api_key=api_key or create_key()["apiKey"],
            base_url=base_url,
            timeout=PATIENCE_SECONDS,
            # A failure that a second attempt would hide is still a failure.
            max_retries=0,
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def client(new_client):
    return new_client()
