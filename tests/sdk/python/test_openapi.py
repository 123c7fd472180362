"""Checks the served key API against its OpenAPI document: no failures, nothing undocumented."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from support import PATIENCE_SECONDS, create_key, setting

load_all_checks()

PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)

OPERATIONS = [
    ("GET", "/tokens"),
    ("POST", "/tokens"),
    ("POST", "/tokens/refresh"),
    ("GET", "/tokens/{id}"),
    ("PATCH", "/tokens/{id}"),
    ("DELETE", "/tokens/{id}"),
    ("POST", "/tokens/{id}/refresh"),
    ("POST", "/tokens/{id}/explain"),
    ("GET", "/tokens/usage"),
    ("GET", "/tokens/self/usage"),
    ("GET", "/tokens/settings"),
    ("GET", "/metrics"),
    ("GET", "/tokens/teams"),
    ("GET", "/tokens/teams/{teamId}"),
    ("PUT", "/tokens/teams/{teamId}"),
    ("DELETE", "/tokens/teams/{teamId}"),
]

thorough = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def document(gateway_url):
    return schemathesis.openapi.from_url(f"{gateway_url}/tokens/openapi.json")


def for_all_cases(document, method, path, check):
    """Runs `check` on generated requests, both valid and invalid by the document."""
    operation = document[path][method]
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        cases = operation.as_strategy(generation_mode=mode)
        thorough(given(cases)(check))()


def send(case, bearer):
    headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    case.call_and_validate(headers=headers, timeout=PATIENCE_SECONDS, checks=PROMISES)


def test_every_operation_is_tested(document):
    documented = [
        (operation.ok().method.upper(), operation.ok().path)
        for operation in document.get_all_operations()
    ]
    assert sorted(documented) == sorted(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_admins_request_conforms(document, method, path):
    for_all_cases(document, method, path, lambda case: send(case, setting("ADMIN_TOKEN")))


@pytest.mark.parametrize(("method", "path"), [op for op in OPERATIONS if "{id}" in op[1]])
def test_the_admins_request_for_an_existing_key_conforms(document, method, path):
    def check(case):
        case.path_parameters["id"] = create_key()["id"]
        send(case, setting("ADMIN_TOKEN"))

    for_all_cases(document, method, path, check)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_key_holders_request_conforms(document, method, path):
    def check(case):
        key = create_key()
        if "{id}" in path:
            case.path_parameters["id"] = key["id"]
        send(case, key["apiKey"])

    for_all_cases(document, method, path, check)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_request_without_credentials_conforms(document, method, path):
    for_all_cases(document, method, path, lambda case: send(case, None))
