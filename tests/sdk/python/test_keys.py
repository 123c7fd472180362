import re
from datetime import datetime, timedelta, timezone

import pytest
from openai import AuthenticationError

from support import create_key, post, setting

FIELDS = {"apiKey", "id", "teamId", "name", "limited", "createdAt"}
RFC_3339_MILLISECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def test_the_admin_creates_a_team_key_with_exactly_the_documented_fields(gateway_url):
    body = {"teamId": "blue", "name": "Blue team", "limited": True}
    before = datetime.now(timezone.utc)
    status, key = post(f"{gateway_url}/tokens", setting("ADMIN_TOKEN"), body)
    assert status == 201

    assert set(key) == FIELDS
    assert {name: key[name] for name in body} == body
    assert re.fullmatch(r"sk_[0-9a-f]{64}", key["apiKey"])
    assert re.fullmatch(r"[0-9a-f]{32}", key["id"])
    assert RFC_3339_MILLISECONDS.fullmatch(key["createdAt"])
    assert abs(datetime.fromisoformat(key["createdAt"]) - before) < timedelta(minutes=1)


def test_only_the_admin_can_create_a_team_key(gateway_url):
    team_key = create_key()["apiKey"]
    for bearer in [None, team_key, setting("ADMIN_TOKEN") + "x"]:
        status, body = post(f"{gateway_url}/tokens", bearer, {"teamId": "blue"})
        assert status == 401
        assert body["error"]["code"] == "invalid_admin_token"


def test_a_refreshed_key_replaces_the_old_one(gateway_url, new_client):
    old = create_key(teamId="green", name="Green team")
    old_client = new_client(api_key=old["apiKey"])
    assert old_client.models.retrieve("gpt-4o").id == "gpt-4o"

    status, key = post(f"{gateway_url}/tokens/refresh?graceSeconds=0", old["apiKey"])
    assert status == 200
    assert set(key) == FIELDS | {"lineage", "replaces", "rotatedAt"}
    assert key["replaces"] == old["id"]
    assert re.fullmatch(r"sk_[0-9a-f]{64}", key["apiKey"])
    assert key["apiKey"] != old["apiKey"]
    assert (key["teamId"], key["name"], key["limited"]) == ("green", "Green team", False)

    assert new_client(api_key=key["apiKey"]).models.retrieve("gpt-4o").id == "gpt-4o"
    with pytest.raises(AuthenticationError) as caught:
        old_client.models.retrieve("gpt-4o")
    assert caught.value.code == "invalid_api_key"
