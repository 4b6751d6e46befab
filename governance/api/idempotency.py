"""`Idempotency-Key` on POST: the same request again gets the same answer, and does its work once."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem
from governance.models import IdempotencyRecord

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
#: Answers that a repetition may rightly get differently: they are not kept.
PASSING = frozenset({401, 403, 409, 412, 429})
_KEPT_HEADERS = ("Location", "ETag")


class Replayed(Problem):
    """Not a problem: the answer that this key has had before."""

    def __init__(self, record: IdempotencyRecord) -> None:
        super().__init__(record.status, "replayed", "")
        self.answer = record.answer

    def response(self) -> Response:
        headers = {**self.answer["headers"], "Idempotent-Replayed": "true"}
        return Response(json.loads(self.answer["data"]), status=self.status_code, headers=headers)


def begin(request: Request, key: str) -> IdempotencyRecord:
    """Claim the key. Raises Replayed with the kept answer, 422 for another request, 409 while the first runs."""
    if not key.strip() or len(key) > 255:
        raise Problem(400, "idempotency_key_invalid", _("An Idempotency-Key has from 1 to 255 characters."))
    request_hash = hash_of(request)
    IdempotencyRecord.objects.filter(
        user=request.user, key=key, created_at__lt=timezone.now() - KEPT
    ).delete()
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(user=request.user, key=key, request_hash=request_hash)
    except IntegrityError:
        raise _known(request, key, request_hash) from None


def _known(request: Request, key: str, request_hash: str) -> Problem:
    record = IdempotencyRecord.objects.filter(user=request.user, key=key).first()
    if record is None or record.status is None:
        text = _(
            "The first request with this key has not been answered. Look whether it was done before you send it anew."
        )
        return Problem(409, "idempotency_running", text)
    if record.request_hash != request_hash:
        return Problem(
            422,
            "idempotency_key_reused",
            _("This Idempotency-Key was used for another request. Choose a new one."),
        )
    return Replayed(record)


def finish(record: IdempotencyRecord, response: Response) -> None:
    """Keep the answer; forget the key where the same request may have another outcome."""
    if response.status_code >= 500 or response.status_code in PASSING:
        record.delete()
        return
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    record.status = response.status_code
    # as text: an answer may quote a NUL that was sent, which PostgreSQL's jsonb can't hold as a value
    record.answer = {"data": (JSONRenderer().render(response.data) or b"null").decode(), "headers": headers}
    record.save(update_fields=["status", "answer"])


def hash_of(request: Request) -> str:
    """sha-256 over method, path and body; of an upload over its fields and files."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if not (request.content_type or "").startswith("multipart/"):
        digest.update(request.body)
        return digest.hexdigest()
    for name in sorted(request.data):
        for value in request.data.getlist(name):
            digest.update(f"\n{name}\n".encode())
            _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    if not hasattr(value, "chunks"):
        digest.update(str(value).encode())
        return
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
