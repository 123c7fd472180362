def test_the_models_can_be_listed(client):
    ids = [model.id for model in client.models.list()]
    assert ids == ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"]


def test_a_model_can_be_retrieved(client):
    model = client.models.retrieve("gpt-4o")
    assert (model.id, model.object, model.owned_by) == ("gpt-4o", "model", "openai")
