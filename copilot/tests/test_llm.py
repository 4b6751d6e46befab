"""Asking a model: within budget and time, valid answers only, and nothing private leaves the house."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from copilot import llm
from copilot.models import CallBudget, ModelCall
from copilot.privacy import cleaned
from governance.tests.factories import BrandFactory

pytestmark = pytest.mark.django_db
SCHEMA = {
    "type": "object",
    "properties": {"say": {"type": "string"}},
    "required": ["say"],
    "additionalProperties": False,
}
PLANTED = {
    "email": "jane.doe@example.com", "phone": "+49 170 1234567", "national phone": "(415) 555-0132", "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00", "ip": "203.0.113.77", "key": "sk-live-abcdef0123456789abcd", "meta token": "EAABsbCS1234567890abcdefZC",
    "jwt": "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc-DEF_123", "hash": "a" * 64, "ssn": "078-05-1120", "click": "fbclid=IwAR0abcdef",
    "password": 'password: "hunter2-forever"',
}  # fmt: skip


def question(**more):
    return llm.Question(
        **{"purpose": "test", "system": "Say it.", "data": {"a": "b"}, "schema": SCHEMA, **more}
    )


def test_an_answer_is_given_and_its_tokens_and_cost_are_recorded(openai):
    openai.answers, brand = [{"say": "yes"}], BrandFactory()
    assert llm.ask(question(brand=brand)) == {"say": "yes"}
    call = ModelCall.objects.get()
    assert (call.brand, call.outcome, call.tokens_in, call.tokens_out) == (brand, "ANSWERED", 1000, 100)
    assert call.cost_usd == Decimal("0.0035")
    assert openai.asked[0]["response_format"]["json_schema"]["strict"] is True


def test_an_answer_of_another_shape_is_not_used(openai):
    openai.answers = [{"other": 1}]
    with pytest.raises(llm.Unavailable) as refused:
        llm.ask(question())
    assert refused.value.code == "invalid" and ModelCall.objects.get().outcome == "INVALID"


def test_without_a_key_nobody_is_asked():
    with pytest.raises(llm.Unavailable) as refused:
        llm.ask(question())
    assert refused.value.code == "no_key" and not ModelCall.objects.exists()


def test_a_service_that_is_down_is_left_alone_for_a_while(openai):
    openai.status = 500
    for _attempt in range(2):
        with pytest.raises(llm.Unavailable) as refused:
            llm.ask(question())
        assert refused.value.code == "down"
    assert len(openai.asked) == 2, "one call and the client's one retry"
    assert ModelCall.objects.get().cost_usd == 0


def test_a_brand_whose_budget_is_used_up_is_not_asked_for_and_another_is(openai):
    openai.answers = [{"say": "yes"}]
    poor, rich = BrandFactory(), BrandFactory(code="RICH")
    CallBudget(brand=poor, daily_usd=Decimal("0.02")).save()
    assert llm.ask(question(brand=poor))
    ModelCall.objects.filter(brand=poor).update(cost_usd="0.0199")
    with pytest.raises(llm.Unavailable) as refused:
        llm.ask(question(brand=poor))
    assert refused.value.code == "over_budget"
    assert llm.ask(question(brand=rich)) and len(openai.asked) == 2


def test_a_budget_of_nothing_asks_nobody(openai):
    brand = BrandFactory()
    CallBudget(brand=brand, daily_usd=0).save()
    with pytest.raises(llm.Unavailable):
        llm.ask(question(brand=brand))
    assert not openai.asked


def test_tools_are_run_and_their_answers_cleaned(openai):
    asked = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"field": "bid"}'}}
    openai.answers = [{"tool_calls": [asked]}, {"say": "done"}]
    tool = llm.Tool(
        "look", "Looks.", {"type": "object"}, lambda given: {"got": given, "mail": PLANTED["email"]}
    )
    assert llm.ask(question(tools=[tool])) == {"say": "done"}
    answered = openai.asked[1]["messages"][-1]
    assert answered["role"] == "tool" and '"bid"' in answered["content"]
    assert PLANTED["email"] not in json.dumps(openai.asked)


def test_embeddings_go_in_batches_of_a_hundred(openai):
    made = llm.embed([f"text {at}" for at in range(230)])
    assert len(made) == 230 and [len(each["input"]) for each in openai.asked] == [100, 100, 30]


def test_no_planted_personal_data_or_secret_reaches_the_model(openai, settings):
    openai.answers = [{"say": "yes"}]
    text = "Read this: " + " ; ".join(PLANTED.values()) + f" ; {settings.SECRET_KEY}"
    llm.ask(question(data={"text": text, "nested": [{"deep": text}], "api_key": "plain-words"}))
    llm.embed([text])
    sent = json.dumps([{key: value for key, value in each.items() if key != "key"} for each in openai.asked])
    sent = json.dumps(json.loads(sent), ensure_ascii=False)
    for name, value in PLANTED.items():
        kept = value.split('"')[1] if '"' in value else value.removeprefix("fbclid=")
        assert kept not in sent, name
    assert settings.SECRET_KEY not in sent and "plain-words" not in sent
    assert ModelCall.objects.first().redactions >= len(PLANTED)


def test_what_names_nobody_stays_as_it_is():
    text = "Spend 1.250,00 EUR from 2026-11-24 to 2026-12-24, account 1234567890123456789, v21.0, 16:9, 25 words."
    assert cleaned(text).value == text
