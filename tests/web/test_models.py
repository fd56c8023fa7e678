"""The models of what is asked."""

from web.api.models_search import SimilarQuery
from web.api.models_write import PatchJson


def test_the_schema_that_every_request_asks_for_is_made_once():
    assert SimilarQuery.model_json_schema() is SimilarQuery.model_json_schema()
    assert SimilarQuery.model_json_schema() != PatchJson.model_json_schema()


def test_the_schema_of_the_document_is_made_as_it_is_asked_for():
    plain = SimilarQuery.model_json_schema()

    made = SimilarQuery.model_json_schema(ref_template="#/components/schemas/{model}")

    assert made == plain
    assert made is not plain
