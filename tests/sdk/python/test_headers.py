import json

from support import create_key


def test_the_headers_of_the_sdk_reach_the_upstream_and_the_team_key_does_not(new_client):
    key = create_key(teamId="headers-python", account=True)
    client = new_client(
        api_key=key["apiKey"],
        organization="org-1",
        project="proj-1",
        default_headers={"x-custom": "kept"},
    )
    echo = client.post("/echo", body={"model": "x"}, cast_to=object)
    headers = dict(echo["headers"])

    assert echo["method"] == "POST"
    assert json.loads(echo["body"]) == {"model": "x"}
    assert "openai-organization" not in headers
    assert "openai-project" not in headers
    assert headers["x-custom"] == "kept"
    assert headers["x-stainless-lang"] == "python"
    assert headers["x-stainless-retry-count"] == "0"
    assert headers["user-agent"].startswith("OpenAI/Python ")

    assert "authorization" not in headers
    assert key["apiKey"] not in json.dumps(echo), "the team key reached the upstream"
    metadata = json.loads(headers["cf-aig-metadata"])
    assert metadata["team_id"] == "headers-python"
    assert metadata["key_id"] == key["id"]
    assert metadata["model"] == "x"
