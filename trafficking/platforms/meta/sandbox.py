"""The Graph API's ad objects played locally, strictly, with Meta's own error envelopes.

It knows nothing of how we build requests: rules are written here a second time (`sandbox_rules` says from what). Only the lists of known fields and enums are read from the reference, which has them from
Meta's SDK.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from trafficking.platforms.meta.sandbox_rules import (
    Refusal,
    check_ad,
    check_ad_set,
    check_campaign,
    check_creative,
)
from trafficking.platforms.sandbox_base import Request, Response, Sandbox, Store

Json = dict[str, Any]

_VERSIONS = ("v24.0", "v25.0", "v26.0")
_EDGES = {"campaigns": "campaign", "adsets": "ad_set", "ads": "ad", "adcreatives": "creative"}
_CHILDREN = {("campaign", "adsets"): "ad_set", ("ad_set", "ads"): "ad"}
_GRANDCHILDREN = {("campaign", "ads"): "ad"}
_MONEY = frozenset(
    [
        "daily_budget",
        "lifetime_budget",
        "spend_cap",
        "daily_min_spend_target",
        "daily_spend_cap",
        "lifetime_min_spend_target",
        "lifetime_spend_cap",
    ]
)
_CONTROL = frozenset({"access_token", "appsecret_proof", "execution_options", "fields", "format", "method"})
_EXPIRED = frozenset({"expired"})  # tokens that the sandbox refuses; any other will do
_FORM = "application/x-www-form-urlencoded"
#: Calls per account and hour of a development app (Marketing API "Rate Limiting": 300 + 40 per active ad),
#: of one with full access 100,000; this is the latter.
_QUOTA = 100_000
_FIRST_ID = 120_210_000_000_000_000

_SDK = json.loads(Path(__file__).with_name("reference.json").read_text())["sdk_operations"]
_KNOWN = {kind: jsonschema_rs.validator_for(schema) for kind, schema in _SDK.items()}
_TYPES = {kind: schema["properties"] for kind, schema in _SDK.items()}


class MetaSandbox(Sandbox):
    """`quota_per_hour` calls per account, then throttled; lists show objects only `lag_s` after creation;
    ads that are switched on are in review for `review_s`."""

    key = "meta"

    def __init__(
        self,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        *,
        quota_per_hour: int = _QUOTA,
        lag_s: float = 0.0,
        review_s: float = 3600.0,
    ) -> None:
        super().__init__(store, clock)
        self.quota_per_hour = quota_per_hour
        self.lag_s = lag_s
        self.review_s = review_s
        self._calls: deque[float] = deque()
        self._counting = threading.Lock()

    # ------------------------------------------------------------------------------- dialect

    def respond(self, request: Request) -> Response:
        try:
            return self._answered(request)
        except Refusal as refusal:
            return self._json(refusal.status, {"error": refusal.error()})

    def throttled(self, request: Request, seconds: float) -> Response:
        error = Refusal(
            "(#80004) There have been too many calls to this ad-account. Wait a bit and try again.",
            code=80004,
            subcode=2446079,
            title="Ad Account Has Too Many API Calls",
        ).error()
        headers = self._usage(percent=100, wait_s=seconds)
        return Response.json(400, {"error": error}, headers)

    def unauthorised(self, request: Request) -> Response:
        return self._json(401, {"error": _expired().error()})

    def server_error(self, request: Request) -> Response:
        error = Refusal("An unexpected error has occurred. Please retry your request later.", code=2).error()
        return self._json(500, {"error": {**error, "is_transient": True}})

    def _json(self, status: int, value: Any) -> Response:
        return Response.json(status, value, self._usage(self._percent(), 0))

    def _percent(self) -> int:
        return min(100, len(self._calls) * 100 // self.quota_per_hour)

    def _usage(self, percent: int, wait_s: float) -> dict[str, str]:
        """The three usage headers, which come with every answer."""
        call = {
            "type": "ads_management",
            "call_count": percent,
            "total_cputime": percent // 2,
            "total_time": percent // 2,
            "estimated_time_to_regain_access": _minutes(wait_s),
            "ads_api_access_tier": "standard_access",
        }
        account = {
            "acc_id_util_pct": percent,
            "reset_time_duration": max(1, round(wait_s)),
            "ads_api_access_tier": "standard_access",
        }
        app = {"call_count": percent // 2, "total_time": percent // 2, "total_cputime": percent // 2}
        return {
            "X-Business-Use-Case-Usage": json.dumps({"1234567890": [call]}),
            "X-Ad-Account-Usage": json.dumps(account),
            "X-App-Usage": json.dumps(app),
            "facebook-api-version": _VERSIONS[-1],
        }

    # --------------------------------------------------------------------------------- doors

    def _answered(self, request: Request) -> Response:
        params = _parameters(request)
        _check_token(request, params)
        if self._over_quota():
            return self.throttled(request, 3600 - (self.clock() - self._calls[0]))
        node, edge = _way(request.path)
        if request.method == "GET":
            return self._json(200, self._listed(node, edge, params) if edge else self._node(node, params))
        if request.method == "DELETE" and not edge:
            return self._json(200, self._deleted(node))
        if request.method != "POST":
            raise Refusal("Unsupported method.", code=100)
        if not edge:
            return self._json(200, self._updated(node, params))
        return self._json(200, self._created(node, edge, params))

    def _over_quota(self) -> bool:
        now = self.clock()
        with self._counting:
            while self._calls and self._calls[0] < now - 3600:
                self._calls.popleft()
            if len(self._calls) >= self.quota_per_hour:
                return True
            self._calls.append(now)
            return False

    # -------------------------------------------------------------------------------- writes

    def _created(self, node: str, edge: str, params: Mapping[str, str]) -> Json:
        kind = _EDGES.get(edge)
        if kind is None or not node.startswith("act_"):
            raise Refusal(f"Unknown path components: /{edge}", code=2500, kind="OAuthException")
        body = _typed(kind, params)
        _check_known(kind, body)
        parent, extra = self._checked(kind, node, body)
        if "validate_only" in _list(params, "execution_options"):
            return {"success": True}
        stored = {**_as_stored(kind, body), **extra, "account_id": node.removeprefix("act_")}
        added = self.store.add(kind, node, parent, body["name"], stored, _new_id, self.clock())
        return {"id": added["id"]}

    def _checked(self, kind: str, account: str, body: Json) -> tuple[str, Json]:
        """The parent's id, and what is stored beside the body; raises for what Meta refuses."""
        if kind == "campaign":
            check_campaign(body)
            return "", {}
        if kind == "creative":
            check_creative(body)
            return "", {"status": "ACTIVE"}
        if kind == "ad_set":
            campaign = self._parent("campaign", account, body.get("campaign_id"), "campaign_id")
            check_ad_set(body, campaign)
            return campaign["id"], {}
        ad_set = self._parent("ad_set", account, body.get("adset_id"), "adset_id")
        wanted = body.get("creative")
        wanted = wanted if isinstance(wanted, dict) else {}
        creative = self._parent("creative", account, wanted.get("creative_id"), "creative")
        check_ad(body, ad_set, creative)
        return ad_set["id"], {"campaign_id": ad_set["campaign_id"]}

    def _parent(self, kind: str, account: str, object_id: Any, field: str) -> Json:
        found = self.store.get(kind, str(object_id or ""))
        if found is None or found["_account"] != account or found.get("status") == "DELETED":
            raise Refusal(
                f"(#100) Param {field} is not the id of an object of this ad account",
                subcode=1487033 if field == "creative" else 1885204,
                title="Invalid object",
                blame=[[field]],
            )
        return found

    def _updated(self, node: str, params: Mapping[str, str]) -> Json:
        found = self._existing(node)
        kind = found["_kind"]
        body = _typed(kind, params)
        _check_known(kind, body)
        status = body.get("status")
        if kind == "creative" and set(body) - {"name", "status"}:
            raise Refusal("(#100) A creative can't be changed, except for its name.", subcode=1815573)
        if status is not None and status not in ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED"):
            raise Refusal(
                "(#100) Param status must be one of {ACTIVE, PAUSED, DELETED, ARCHIVED}", blame=[["status"]]
            )
        changes = {k: str(v) if k in _MONEY else v for k, v in body.items()}
        if status == "ACTIVE":
            changes["_activated"] = self.clock()
        self.store.update(kind, node, changes)
        return {"success": True}

    def _deleted(self, node: str) -> Json:
        self.store.update(self._existing(node)["_kind"], node, {"status": "DELETED"})
        return {"success": True}

    # --------------------------------------------------------------------------------- reads

    def _existing(self, node: str) -> Json:
        rows = self.store.rows("id = ?", (node,))
        if not rows:
            raise Refusal(
                f"Unsupported get request. Object with ID '{node}' does not exist, cannot be loaded due to missing"
                " permissions, or does not support this operation.",
                kind="GraphMethodException",
                subcode=33,
            )
        return rows[0]

    def _node(self, node: str, params: Mapping[str, str]) -> Json:
        if node.startswith("act_"):
            return {"id": node, "account_id": node.removeprefix("act_")}
        return self._shown(self._existing(node), params)

    def _listed(self, node: str, edge: str, params: Mapping[str, str]) -> Json:
        rows = [row for row in self._rows(node, edge) if self._visible(row) and _matches(row, params)]
        limit = max(1, min(500, _whole(params.get("limit"), 25)))
        start = _offset(params.get("after"))
        page = rows[start : start + limit]
        answer: Json = {"data": [self._shown(row, params) for row in page]}
        if page:
            after = _cursor(start + len(page))
            answer["paging"] = {"cursors": {"before": _cursor(start), "after": after}}
            if start + limit < len(rows):
                answer["paging"]["next"] = (
                    f"https://graph.facebook.com/{_VERSIONS[-1]}/{node}/{edge}?after={after}"
                )
        return answer

    def _rows(self, node: str, edge: str) -> list[Json]:
        if node.startswith("act_") and edge in _EDGES:
            return self.store.find(_EDGES[edge], node)
        parent = self._existing(node)
        way = (parent["_kind"], edge)
        if way in _CHILDREN:
            return self.store.find(_CHILDREN[way], parent["_account"], parent=node)
        if way in _GRANDCHILDREN:
            rows = self.store.find(_GRANDCHILDREN[way], parent["_account"])
            return [row for row in rows if row.get("campaign_id") == node]
        raise Refusal(f"(#100) Tried accessing nonexisting field ({edge})", kind="OAuthException")

    def _visible(self, row: Json) -> bool:
        deleted = row.get("status") in ("DELETED", "ARCHIVED")
        return not deleted and row["_created"] + self.lag_s <= self.clock()

    def _shown(self, row: Json, params: Mapping[str, str]) -> Json:
        """The asked fields that have a value; unknown ones are refused, as Meta does."""
        kind = row["_kind"]
        full = self._full(row)
        wanted = [name for name in params.get("fields", "id").split(",") if name]
        for name in wanted:
            if name not in _TYPES[kind] and name not in _READABLE:
                raise Refusal(f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")
        return {name: full[name] for name in dict.fromkeys(["id", *wanted]) if name in full}

    def _full(self, row: Json) -> Json:
        public = {key: value for key, value in row.items() if not key.startswith("_")}
        moment = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(row["_created"]))
        if row["_kind"] == "creative":
            return public
        status = public.get("status", "ACTIVE")
        return {
            **public,
            "configured_status": status,
            "effective_status": self._effective(row, status),
            "created_time": moment,
            "updated_time": moment,
        }

    def _effective(self, row: Json, status: str) -> str:
        """A paused parent shows through an active child; a new ad is reviewed before it runs."""
        if status != "ACTIVE":
            return status
        for parent_kind, field, shown in (
            ("ad_set", "adset_id", "ADSET_PAUSED"),
            ("campaign", "campaign_id", "CAMPAIGN_PAUSED"),
        ):
            parent = self.store.get(parent_kind, str(row.get(field) or "")) if row.get(field) else None
            if parent is not None and parent.get("status") == "PAUSED":
                return shown
        since = row.get("_activated") or row["_created"]
        return "PENDING_REVIEW" if row["_kind"] == "ad" and self.clock() < since + self.review_s else "ACTIVE"


# ------------------------------------------------------------------------------------ the request

_READABLE = frozenset(
    [
        "id",
        "account_id",
        "name",
        "status",
        "configured_status",
        "effective_status",
        "created_time",
        "updated_time",
        "campaign_id",
        "adset_id",
        "creative",
        "object_story_spec",
        "url_tags",
    ]
)


def _parameters(request: Request) -> dict[str, str]:
    """Query and form together; a body that is no form is refused."""
    params = dict(request.query)
    if request.method == "POST" and request.body:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if content_type != _FORM:
            raise Refusal(f"(#100) Unsupported content type {content_type or 'none'}")
        params.update(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return params


def _check_token(request: Request, params: Mapping[str, str]) -> None:
    header = request.headers.get("authorization", "")
    scheme, _, in_header = header.partition(" ")
    token = in_header.strip() if scheme in ("Bearer", "OAuth") else ""
    token = token or params.get("access_token", "")
    if not token:
        raise _no_token()
    if token in _EXPIRED:
        raise _expired()
    proof = params.get("appsecret_proof")
    if proof is not None and (len(proof) != 64 or set(proof) - set("0123456789abcdef")):
        raise Refusal("Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def _no_token() -> Refusal:
    return Refusal(
        "Invalid OAuth access token - Cannot parse access token", code=190, kind="OAuthException", status=401
    )


def _expired() -> Refusal:
    return Refusal(
        "Error validating access token: Session has expired.",
        code=190,
        subcode=463,
        kind="OAuthException",
        status=401,
    )


def _way(path: str) -> tuple[str, str]:
    """(node, edge or "") of `/v26.0/node/edge`."""
    version, _, rest = path.strip("/").partition("/")
    node, _, edge = rest.partition("/")
    if version not in _VERSIONS:
        raise Refusal(
            f"(#2635) You are calling a deprecated or unknown version of the Ads API: {version}.", code=2635
        )
    if not node or "/" in edge:
        raise Refusal("Unknown path components", code=2500, kind="OAuthException")
    return node, edge


def _typed(kind: str, params: Mapping[str, str]) -> Json:
    """Form fields as values, by the SDK's types; a parameter that Meta doesn't know is refused."""
    body = {}
    for key, text in params.items():
        if key in _CONTROL:
            continue
        schema = _TYPES[kind].get(key)
        if schema is None:
            raise Refusal(f"(#100) Param {key} is not known", blame=[[key]])
        body[key] = _value(key, text, schema)
    return body


def _value(key: str, text: str, schema: Mapping[str, Any]) -> Any:
    wanted = schema.get("type")
    if wanted == "string" or key == "adset_id":
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise Refusal(f"(#100) Param {key} must be valid JSON", blame=[[key]]) from None


def _check_known(kind: str, body: Json) -> None:
    """Nested fields, types and enums against the SDK's."""
    for error in _KNOWN[kind].iter_errors({k: v for k, v in body.items() if k != "adset_id"}):
        way = [str(part) for part in error.instance_path]
        where = way[0] + "".join(f"[{part}]" for part in way[1:]) if way else "body"
        raise Refusal(f"(#100) Param {where}: {error.message}", blame=[way] if way else None)


def _as_stored(kind: str, body: Json) -> Json:
    """With Meta's own defaults: what is not created paused is on."""
    defaults: Json = {} if kind == "creative" else {"status": "ACTIVE"}
    if kind == "campaign":
        defaults["buying_type"] = "AUCTION"
    stored = {**defaults, **body}
    return {key: str(value) if key in _MONEY else value for key, value in stored.items()}


def _new_id(number: int) -> str:
    return str(_FIRST_ID + number)


def _matches(row: Json, params: Mapping[str, str]) -> bool:
    """`filtering` on names, ids and statuses; other fields are refused."""
    for each in _list(params, "filtering"):
        if not isinstance(each, dict):
            raise Refusal("(#100) Param filtering must be a list of objects", blame=[["filtering"]])
        field, operator, value = each.get("field"), each.get("operator"), each.get("value")
        if field not in ("name", "id", "status", "effective_status"):
            raise Refusal(f"(#100) Filtering field {field!r} with operation {operator!r} is not supported")
        actual = str(row.get(field, ""))
        outcome = {
            "EQUAL": actual == str(value),
            "NOT_EQUAL": actual != str(value),
            "CONTAIN": str(value).lower() in actual.lower(),
            "IN": isinstance(value, list) and actual in value,
        }.get(str(operator))
        if outcome is None:
            raise Refusal(f"(#100) Param filtering[0][operator] {operator!r} is not valid")
        if not outcome:
            return False
    return True


def _list(params: Mapping[str, str], key: str) -> list[Any]:
    """A parameter that is a list in JSON; empty where it is not sent."""
    try:
        value = json.loads(params.get(key, "[]"))
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise Refusal(f"(#100) Param {key} must be an array", blame=[[key]])
    return value


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o:{offset}".encode()).decode()


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("o:"))
    except ValueError:
        raise Refusal("(#100) Invalid cursor", blame=[["after"]]) from None


def _minutes(seconds: float) -> int:
    return -(-int(seconds) // 60) if seconds > 0 else 0
