"""Calls to the Graph API: one HTTP call per method, except where a list must be paged through.

Bodies go as forms with nested values in JSON. The token travels in a header, the proof made with the
app's secret among the parameters; neither is ever in an operation, an outcome or an exception.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from trafficking.platforms.base import (
    Applied,
    Client,
    Connection,
    InDoubt,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    ReadBack,
    Rejected,
    RetryLater,
)  # fmt: skip
from trafficking.platforms.http import send
from trafficking.platforms.meta.errors import failure, parsed, says_not_there
from trafficking.platforms.meta.reference import API_VERSION

_PAGE = 200
_MOST_PAGES = 50

#: Edge under which an object is looked up, and the body field that names its parent; the account else.
_EDGES = {
    "campaign": ("campaigns", ""),
    "ad_set": ("adsets", "campaign_id"),
    "creative": ("adcreatives", ""),
    "ad": ("ads", "adset_id"),
}
#: What `read` asks for; all are fields of the SDK's classes.
FIELDS = {
    "campaign": (
        "id,name,status,effective_status,objective,buying_type,bid_strategy,daily_budget,lifetime_budget,"
        "spend_cap,special_ad_categories,special_ad_category_country,is_adset_budget_sharing_enabled,"
        "is_skadnetwork_attribution,pacing_type,created_time,updated_time"
    ),
    "ad_set": (
        "id,name,status,effective_status,campaign_id,optimization_goal,billing_event,bid_strategy,bid_amount,"
        "bid_constraints,daily_budget,lifetime_budget,daily_min_spend_target,daily_spend_cap,"
        "lifetime_min_spend_target,lifetime_spend_cap,start_time,end_time,adset_schedule,pacing_type,"
        "frequency_control_specs,promoted_object,destination_type,targeting,attribution_spec,dsa_beneficiary,"
        "dsa_payor,created_time,updated_time"
    ),
    "creative": "id,name,status,object_story_spec,url_tags,authorization_category,contextual_multi_ads",
    "ad": "id,name,status,effective_status,adset_id,campaign_id,creative,conversion_domain,created_time,updated_time",
}

_Read = RetryLater | NeedsAuth | InDoubt


class MetaClient(Client):
    """See `Client`."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        super().__init__(connection, session)
        self._token = connection.credentials.get("access_token", "")
        self._proof = _proof(self._token, connection.credentials.get("app_secret", ""))

    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        body = operation.bound_body(external_ids)
        answer = self._call(operation.method, operation.path, data=form(body), body=operation.body)
        if not isinstance(answer, Applied):
            return answer
        created = answer.response.get("id")
        if not created:
            return InDoubt("an answer without an id", answer.response, answer.http_status)
        ids = {each.ref: str(created) for each in operation.objects}
        return Applied(ids, answer.response, answer.http_status)

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """By exact name under the parent, leaving out objects that are already known as another's."""
        name = operation.objects[0].name
        matches = self._named(self._list_path(operation, external_ids), operation.object_type, name)
        if not isinstance(matches, list):
            return matches
        known = set(external_ids.values())
        ours = [each for each in matches if each not in known]
        if not ours:
            return NotFound()
        if len(ours) > 1:
            return InDoubt(f"several objects are called {name!r}: {', '.join(ours)}")
        return Applied({each.ref: ours[0] for each in operation.objects})

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        answer = self._call("GET", _object_path(external_id), params={"fields": FIELDS[object_type]})
        if isinstance(answer, Applied):
            return _read_back(object_type, answer.response)
        if isinstance(answer, Rejected):
            return NotFound() if says_not_there(answer) else _unexpected(answer)
        return answer

    def set_paused(self, object_type: str, external_id: str) -> Outcome:
        if object_type == "creative":
            return Rejected("no_status", "creatives have no status of their own")
        answer = self._call("POST", _object_path(external_id), data=form({"status": "PAUSED"}))
        if isinstance(answer, Applied) and answer.response.get("success") is not True:
            return InDoubt("an answer without success", answer.response, answer.http_status)
        return answer

    def _list_path(self, operation: Operation, external_ids: Mapping[str, str]) -> str:
        edge, parent_field = _EDGES[operation.object_type]
        if not parent_field:
            return operation.path
        parent = external_ids[operation.bindings[f"/{parent_field}"]]
        return f"{_object_path(parent)}/{edge}"

    def _named(self, path: str, object_type: str, name: str) -> list[str] | _Read:
        """Ids of all objects on an edge with exactly this name, page by page.

        Meta's own filter saves pages; the name is compared here all the same, to the letter. The edge of
        creatives has no filter.
        """
        params = {"fields": "id,name", "limit": str(_PAGE)}
        if object_type != "creative":
            params["filtering"] = json.dumps([{"field": "name", "operator": "EQUAL", "value": name}])
        ids: list[str] = []
        for _ in range(_MOST_PAGES):
            answer = self._call("GET", path, params=params)
            if isinstance(answer, Rejected):
                return _unexpected(answer)
            if not isinstance(answer, Applied):
                return answer
            ids += [str(each["id"]) for each in answer.response.get("data", []) if each.get("name") == name]
            paging = answer.response.get("paging", {})
            if not paging.get("next"):
                return ids
            params["after"] = paging["cursors"]["after"]
        return InDoubt(f"more than {_PAGE * _MOST_PAGES} objects to look through")

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Outcome:
        """One exchange; `Applied` carries the answer and no ids."""
        if not self._token:
            return NeedsAuth("no access token is stored for this account")
        response = send(
            self.session,
            method,
            self.connection.base_url.rstrip("/") + path,
            timeout_s=self.connection.timeout_s,
            headers={"Authorization": f"Bearer {self._token}"},
            params={**params, **self._proof} if params is not None else None,
            data={**data, **self._proof} if data is not None else None,
        )
        if not isinstance(response, requests.Response):
            return response
        answer = self._without_secrets(parsed(response))
        failed = failure(response, answer, body)
        return failed if failed is not None else Applied({}, answer, response.status_code)

    def _without_secrets(self, answer: Any) -> Any:
        """Meta repeats a malformed token in its message, and every token in paging links."""
        secrets = [s for s in (self._token, *self._proof.values()) if s]
        return _scrubbed(answer, [*secrets, *(quote(s, safe="") for s in secrets)])


def form(body: Mapping[str, Any]) -> dict[str, str]:
    """A body as form fields: text as it is, everything else as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for key, value in body.items()
    }


def _proof(token: str, app_secret: str) -> dict[str, str]:
    """`appsecret_proof`: HMAC-SHA256 of the token, keyed with the app's secret (Graph API, "Secure Requests")."""
    if not app_secret:
        return {}
    digest = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256)
    return {"appsecret_proof": digest.hexdigest()}


def _object_path(external_id: str) -> str:
    return f"/{API_VERSION}/{quote(external_id, safe='')}"


def _read_back(object_type: str, raw: Mapping[str, Any]) -> ReadBack:
    paused = None if object_type == "creative" else raw.get("status") != "ACTIVE"
    return ReadBack(str(raw.get("id", "")), raw.get("name"), paused, raw)


def _unexpected(rejected: Rejected) -> InDoubt:
    """A look-up that is refused says nothing about the object."""
    return InDoubt(f"{rejected.code}: {rejected.message}", rejected.response, rejected.http_status)


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if isinstance(value, Mapping):
        return {key: _scrubbed(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner, secrets) for inner in value]
    return value
