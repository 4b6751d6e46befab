"""One HTTP call per method. The token travels in the header `Access-Token` and nowhere else."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from trafficking.platforms.base import (
    Applied,
    Client,
    InDoubt,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    ReadBack,
    Rejected,
    RetryLater,
)
from trafficking.platforms.http import send
from trafficking.platforms.tiktok.errors import PARTIAL, failure

BASE = "/open_api/v1.3"
#: object type -> the platform's word in doors, ids and names
WORDS: Mapping[str, str] = {"campaign": "campaign", "ad_set": "adgroup", "ad": "ad"}
#: object type -> (filter over the parent, pointer of the parent's id in the body)
PARENTS: Mapping[str, tuple[str, str]] = {
    "ad_set": ("campaign_ids", "campaign_id"),
    "ad": ("adgroup_ids", "adgroup_id"),
}
PAGE_SIZE = 1000  # the most that a get door gives at once


class TikTokClient(Client):
    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        body = operation.bound_body(external_ids)
        answer = self._call(operation.method, operation.path, body=body)
        if not isinstance(answer, requests.Response):
            return answer
        (planned,) = operation.objects
        content = answer.json()
        created = _created_id(WORDS[operation.object_type], content.get("data"))
        if created:
            return Applied({planned.ref: created}, content, answer.status_code)
        if content["code"] == PARTIAL:
            return Rejected(
                str(PARTIAL),
                str(content.get("message") or ""),
                "",
                content,
                answer.status_code,
            )
        return InDoubt("answered OK without an id", content, answer.status_code)

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """By the exact governed name under its parent: the filter of TikTok is a fuzzy search."""
        word = WORDS[operation.object_type]
        (planned,) = operation.objects
        filtering: dict[str, Any] = {f"{word}_name": planned.name}
        if operation.object_type in PARENTS:
            filter_name, key = PARENTS[operation.object_type]
            filtering[filter_name] = [operation.bound_body(external_ids)[key]]
        found = self._list(word, filtering)
        if not isinstance(found, Page):
            return found
        ids = [
            str(each[f"{word}_id"]) for each in found.rows if _same(each.get(f"{word}_name"), planned.name)
        ]
        if len(ids) == 1:
            return Applied({planned.ref: ids[0]}, found.content, 200)
        if ids:
            return InDoubt(
                f"{len(ids)} objects of this name under the same parent: {', '.join(ids)}",
                found.content,
            )
        return (
            NotFound()
            if found.whole
            else InDoubt("more objects of such names than one page shows", found.content)
        )

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        word = WORDS[object_type]
        found = self._list(word, {f"{word}_ids": [external_id]})
        if not isinstance(found, Page):
            return found
        for row in found.rows:
            if str(row.get(f"{word}_id")) == external_id:
                status = row.get("operation_status")
                paused = status == "DISABLE" if status is not None else None
                return ReadBack(external_id, row.get(f"{word}_name"), paused, row)
        return NotFound()

    def set_paused(self, object_type: str, external_id: str) -> Outcome:
        """Disable it: TikTok may ignore `operation_status` when creating (an allowlist feature there)."""
        word = WORDS[object_type]
        body = {
            "advertiser_id": self.connection.account.external_id,
            f"{word}_ids": [external_id],
            "operation_status": "DISABLE",
        }
        answer = self._call("POST", f"{BASE}/{word}/status/update/", body=body)
        if not isinstance(answer, requests.Response):
            return answer
        content = answer.json()
        if content["code"] == PARTIAL:  # one id was sent, so a part is nothing
            return Rejected(
                str(PARTIAL),
                str(content.get("message") or ""),
                "",
                content,
                answer.status_code,
            )
        return Applied({object_type: external_id}, content, answer.status_code)

    def _list(
        self, word: str, filtering: Mapping[str, Any]
    ) -> Page | NotFound | RetryLater | NeedsAuth | InDoubt:
        query = {
            "advertiser_id": self.connection.account.external_id,
            "filtering": json.dumps(filtering),
            "page": "1",
            "page_size": str(PAGE_SIZE),
        }
        answer = self._call("GET", f"{BASE}/{word}/get/", query=query)
        if isinstance(answer, requests.Response):
            return _page(answer)
        if isinstance(answer, Rejected):  # a look-up that fails says nothing about the object
            return InDoubt(
                f"look-up refused: {answer.code} {answer.message}",
                answer.response,
                answer.http_status,
            )
        return answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> requests.Response | Rejected | RetryLater | InDoubt | NeedsAuth:
        """The answer where its code is 0 or 20001, else what went wrong."""
        token = self.connection.credentials.get("access_token", "")
        if not token:
            return NeedsAuth("the account has no access token")
        answer = send(
            self.session,
            method,
            self.connection.base_url.rstrip("/") + path,
            timeout_s=self.connection.timeout_s,
            headers={"Access-Token": token},
            json=body,
            params=query,
        )
        if not isinstance(answer, requests.Response):
            return answer
        return failure(answer, body) or answer


class Page:
    """One page of a get door; `whole` where there is no other."""

    __slots__ = ("content", "rows", "whole")

    def __init__(self, content: Any, rows: Sequence[Mapping[str, Any]], whole: bool) -> None:
        self.content, self.rows, self.whole = content, rows, whole


def _page(answer: requests.Response) -> Page | InDoubt:
    content = answer.json()
    data = content.get("data")
    rows = data.get("list") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return InDoubt("look-up answered without a list", content, answer.status_code)
    info = data.get("page_info") or {}
    return Page(content, rows, int(info.get("total_page") or 1) <= 1)


def _created_id(word: str, data: Any) -> str:
    """`campaign_id`, `adgroup_id`, or the only one of `ad_ids`."""
    if not isinstance(data, dict):
        return ""
    if word == "ad":
        ids = data.get("ad_ids") or []
        return str(ids[0]) if len(ids) == 1 else ""
    return str(data.get(f"{word}_id") or "")


def _same(found: Any, wanted: str) -> bool:
    return isinstance(found, str) and unicodedata.normalize("NFC", found) == unicodedata.normalize(
        "NFC", wanted
    )
