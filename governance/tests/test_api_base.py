"""What every endpoint has in common: who may ask, strict bodies, one envelope, idempotent POSTs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.urls import get_resolver
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from governance.api.strict_json import WrittenFloat, read_json
from governance.governed import unguarded
from governance.models import ApiToken, Brand, IdempotencyRecord, Market
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory, UserFactory
from governance.tokens import make_token

pytestmark = pytest.mark.django_db
BRANDS = f"{ROOT}/brands"
COLLECTIONS = (
    "markets", "brands", "channels", "ad-accounts", "naming-conventions", "campaigns", "tickets", "media-plans", "deployments",
)  # fmt: skip


@pytest.fixture
def admin() -> APIClient:
    return client_of(person("Data admin"))


# ------------------------------------------------------------------------------------ who may ask


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_nobody_gets_anything_without_signing_in(collection):
    response = APIClient().get(f"{ROOT}/{collection}")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert error_of(response)["code"] == "not_authenticated"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_reading_needs_the_permission_to_view(collection):
    assert client_of(person()).get(f"{ROOT}/{collection}").status_code == 403
    assert client_of(person("Analyst")).get(f"{ROOT}/{collection}").status_code == 200


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_an_analyst_writes_nothing(collection):
    analyst = client_of(person("Analyst"))
    assert analyst.post(f"{ROOT}/{collection}", {}).status_code in (403, 405)


def test_someone_without_grants_sees_nothing():
    BrandFactory()
    assert client_of(person("Analyst", grants=[])).get(BRANDS).json()["results"] == []


def test_no_endpoint_is_open_but_the_one_that_signs_in():
    views = {pattern.callback.cls for pattern in get_resolver("omnitraffick.api_urls").url_patterns}
    opened = {view.__name__ for view in views if not view.permission_classes}
    assert opened == {"NotThere"}


# ------------------------------------------------------------------------------------ tokens


def test_a_password_gives_a_token_that_works_until_it_is_ended():
    user = person("Analyst")
    user.set_password("correct horse")
    user.save()
    client = APIClient()
    given = client.post(f"{ROOT}/auth/token", {"username": user.username, "password": "correct horse"})
    assert given.status_code == 201, given.content
    assert given.json()["expiry"]
    assert given.json()["token"] not in str(list(AuthToken.objects.values()))
    client.credentials(HTTP_AUTHORIZATION=f"Token {given.json()['token']}")
    assert client.get(BRANDS).status_code == 200
    assert client.delete(f"{ROOT}/auth/token").status_code == 204
    assert client.get(BRANDS).status_code == 401


def test_an_expired_token_and_a_broken_one_are_wrong_ones():
    row, token = make_token(user=person("Analyst"), name="old", scopes=["read"])
    unguarded(ApiToken).filter(pk=row.pk).update(expires_at=timezone.now())
    client = APIClient(raise_request_exception=False)
    for header in (
        f"Token {token}",
        "Token",
        "Token a b",
        "Token \udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ):
        assert client.get(BRANDS, HTTP_AUTHORIZATION=header).status_code == 401


def test_a_wrong_password_and_an_unknown_name_are_answered_alike():
    UserFactory(username="ana")
    answers = [
        APIClient().post(f"{ROOT}/auth/token", {"username": name, "password": "x"})
        for name in ("ana", "nobody")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({error_of(answer)["message"] for answer in answers}) == 1


def test_too_many_wrong_passwords_lock_the_name_from_this_address(settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3
    user = UserFactory(username="ana")
    user.set_password("right")
    user.save()
    client = APIClient()
    answers = [client.post(f"{ROOT}/auth/token", {"username": "ana", "password": "wrong"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    locked = client.post(f"{ROOT}/auth/token", {"username": "ana", "password": "right"})
    assert (locked.status_code, error_of(locked)["code"]) == (429, "locked_out")
    assert int(locked["Retry-After"]) > 0


def test_a_session_needs_its_csrf_token_to_write():
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(person("Data admin"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(BRANDS).status_code == 200
    assert client.post(BRANDS, {"code": "NIKE", "name": "Nike"}).status_code == 403


# ------------------------------------------------------------------------------------ bodies


def send(client: APIClient, raw: bytes) -> Any:
    return client.post(BRANDS, raw, content_type="application/json")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"code": "A1", "code": "B1", "name": "x"}', b'{"code": NaN}', b'{"code": Infinity}', b"{", b"", b"\xff\xfe",
        b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b'{"settings": 1e999}', b"[" * 100_000, b'{"n": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_not_strict_json_is_refused_as_such(admin, raw):
    response = send(admin, raw)
    assert response.status_code == 400, response.content
    assert error_of(response)["code"] in ("parse_error", "validation_error")
    assert not Brand.objects.exists()


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"5", b"[{}]"])
def test_a_body_that_is_no_object_is_refused(admin, raw):
    assert send(admin, raw).status_code == 400


def test_the_key_that_stands_twice_is_named(admin):
    assert "'code'" in error_of(send(admin, b'{"code": "A1", "code": "B1"}'))["message"]


def test_numbers_keep_how_they_were_written():
    read = read_json(b'{"a": 19.990, "b": 7}')
    assert isinstance(read["a"], WrittenFloat)
    assert read["a"].text == "19.990"
    assert json.dumps(read) == '{"a": 19.99, "b": 7}'


def test_a_body_beyond_the_limit_is_refused_unread(admin, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert error_of(send(admin, b'{"name": "' + b"x" * 2000 + b'"}'))["code"] == "too_large"


def test_other_media_types_and_methods_are_refused_in_the_envelope(admin):
    answers = {
        415: admin.post(BRANDS, b"code=NIKE", content_type="application/x-www-form-urlencoded"),
        405: admin.delete(BRANDS),
        406: admin.get(BRANDS, HTTP_ACCEPT="text/html"),
        404: admin.get(f"{ROOT}/nothing/here"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        error_of(answer)


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (RuntimeError("secret detail"), 500, "internal_error"), (IntegrityError("secret detail"), 409, "conflict"),
        (OperationalError("secret detail"), 503, "database_busy"),
    ],
)  # fmt: skip
def test_no_exception_gets_out_and_none_tells_its_inside(admin, monkeypatch, raised, status, code):
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise raised

    monkeypatch.setattr("governance.services.save_coded", broken)
    response = admin.post(BRANDS, {"code": "NIKE", "name": "Nike"})
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert b"secret" not in response.content


def test_every_answer_says_its_request_id_and_is_not_to_be_stored(admin):
    response = admin.get(BRANDS)
    assert len(response["X-Request-ID"]) == 36
    assert response["Cache-Control"] == "no-store"


def test_a_closing_slash_changes_nothing(admin):
    assert admin.get(f"{BRANDS}/").status_code == admin.get(BRANDS).status_code == 200


# ------------------------------------------------------------------------------------ idempotency

NIKE = {"code": "NIKE", "name": "Nike"}


def test_the_same_key_does_the_work_once_and_answers_alike(admin):
    first = admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    again = admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert again["ETag"] == first["ETag"]
    assert "Idempotent-Replayed" not in first
    assert Brand.objects.count() == 1


def test_the_same_key_for_another_request_is_refused(admin):
    admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    other = admin.post(BRANDS, {**NIKE, "code": "PUMA"}, HTTP_IDEMPOTENCY_KEY="k1")
    assert (other.status_code, error_of(other)["code"]) == (422, "idempotency_key_reused")


def test_a_refusal_is_replayed_but_a_server_error_is_tried_again(admin, monkeypatch):
    assert admin.post(BRANDS, {"code": "?"}, HTTP_IDEMPOTENCY_KEY="k1").status_code == 400
    assert admin.post(BRANDS, {"code": "?"}, HTTP_IDEMPOTENCY_KEY="k1")["Idempotent-Replayed"] == "true"
    with monkeypatch.context() as broken:
        broken.setattr("governance.services.save_coded", lambda **_kwargs: 1 / 0)
        assert admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k2").status_code == 500
    assert admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k2").status_code == 201


def test_while_the_first_is_running_the_second_waits_outside(admin):
    user = admin.handler._force_user
    IdempotencyRecord.objects.create(user=user, key="k1", request_hash="x")
    second = admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    assert (second.status_code, error_of(second)["code"]) == (409, "idempotency_running")


def test_a_key_is_forgotten_after_a_day_and_is_one_persons_own(admin):
    admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    other = client_of(person("Data admin")).post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY="k1")
    assert other.status_code == 400  # its own request, and the code is taken
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert (
        admin.post(BRANDS, {**NIKE, "code": "PUMA", "name": "Puma"}, HTTP_IDEMPOTENCY_KEY="k1").status_code
        == 201
    )


def test_a_token_is_never_kept_for_a_replay():
    user = UserFactory(username="ana")
    user.set_password("right")
    user.save()
    body = {"username": "ana", "password": "right"}
    tokens = {
        APIClient().post(f"{ROOT}/auth/token", body, HTTP_IDEMPOTENCY_KEY="k1").json()["token"]
        for _ in range(2)
    }
    assert len(tokens) == 2
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "k" * 256])
def test_a_key_that_is_none_is_refused(admin, key):
    assert error_of(admin.post(BRANDS, NIKE, HTTP_IDEMPOTENCY_KEY=key))["code"] == "idempotency_key_invalid"


def test_unknown_and_read_only_fields_are_named(admin):
    response = admin.post(BRANDS, {**NIKE, "colour": "red", "created_at": "2020-01-01", "version": 7})
    assert codes_of(response, "colour") == ["unknown_field"]
    assert codes_of(response, "created_at") == ["read_only"]
    assert "version" not in error_of(response)["fields"]
    assert not Market.objects.exists()
