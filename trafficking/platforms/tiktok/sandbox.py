"""TikTok's API played locally: what v1.3 takes, refuses and answers.

Knows nothing of how we build requests. Field names and types are the official SDK's (reference.json); the
rules between fields are written here anew from TikTok's documents. Always HTTP 200 with
`{code, message, request_id, data}`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from trafficking.platforms.sandbox_base import Fault, Request, Response, Sandbox, Store

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())
IDEMPOTENT_S = 10.0  # request_id is remembered for about ten seconds
PREFIX = "/open_api/v1.3/"
TIME = "%Y-%m-%d %H:%M:%S"

OBJECTIVES = {
    "REACH",
    "TRAFFIC",
    "VIDEO_VIEWS",
    "LEAD_GENERATION",
    "ENGAGEMENT",
    "APP_PROMOTION",
    "WEB_CONVERSIONS",
    "PRODUCT_SALES",
    "RF_REACH",
}
GOALS = {  # objective -> goals
    "REACH": {"REACH", "SHOW"},
    "TRAFFIC": {"CLICK", "TRAFFIC_LANDING_PAGE_VIEW"},
    "VIDEO_VIEWS": {"ENGAGED_VIEW", "ENGAGED_VIEW_FIFTEEN"},
    "LEAD_GENERATION": {"LEAD_GENERATION", "CLICK", "CONVERT"},
    "APP_PROMOTION": {"INSTALL", "CLICK", "IN_APP_EVENT", "VALUE"},
    "WEB_CONVERSIONS": {"CONVERT", "VALUE", "CLICK"},
}
BILLING = {
    "CLICK": "CPC",
    "REACH": "CPM",
    "SHOW": "CPM",
    "ENGAGED_VIEW": "CPV",
    "ENGAGED_VIEW_FIFTEEN": "CPV",
    "CONVERT": "OCPM",
    "INSTALL": "OCPM",
    "IN_APP_EVENT": "OCPM",
    "LEAD_GENERATION": "OCPM",
    "VALUE": "OCPM",
    "TRAFFIC_LANDING_PAGE_VIEW": "OCPM",
}
ENUMS = {
    "operation_status": {"ENABLE", "DISABLE"},
    "budget_mode": {
        "BUDGET_MODE_INFINITE",
        "BUDGET_MODE_TOTAL",
        "BUDGET_MODE_DAY",
        "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
    },
    "placement_type": {"PLACEMENT_TYPE_AUTOMATIC", "PLACEMENT_TYPE_NORMAL"},
    "schedule_type": {"SCHEDULE_START_END", "SCHEDULE_FROM_NOW"},
    "pacing": {"PACING_MODE_SMOOTH", "PACING_MODE_FAST"},
    "bid_type": {"BID_TYPE_NO_BID", "BID_TYPE_CUSTOM"},
    "gender": {"GENDER_FEMALE", "GENDER_MALE", "GENDER_UNLIMITED"},
    "promotion_type": {"WEBSITE", "APP_ANDROID", "APP_IOS", "LEAD_GENERATION", "WEBSITE_OR_DISPLAY"},
    "promotion_target_type": {"INSTANT_PAGE", "EXTERNAL_WEBSITE"},
    "app_promotion_type": {"APP_INSTALL", "APP_RETARGETING", "APP_PREREGISTRATION"},
    "ad_format": {"SINGLE_IMAGE", "SINGLE_VIDEO", "CAROUSEL_ADS", "CATALOG_CAROUSEL", "LIVE_CONTENT"},
    "identity_type": {"CUSTOMIZED_USER", "AUTH_CODE", "TT_USER", "BC_AUTH_TT"},
    "call_to_action": {
        "APPLY_NOW",
        "BOOK_NOW",
        "CALL_NOW",
        "CONTACT_US",
        "DOWNLOAD_NOW",
        "EXPERIENCE_NOW",
        "GET_QUOTE",
        "GET_SHOWTIMES",
        "GET_TICKETS_NOW",
        "INSTALL_NOW",
        "INTERESTED",
        "LEARN_MORE",
        "LISTEN_NOW",
        "ORDER_NOW",
        "PLAY_GAME",
        "PREORDER_NOW",
        "READ_MORE",
        "SEND_MESSAGE",
        "SHOP_NOW",
        "SIGN_UP",
        "SUBSCRIBE",
        "VIEW_NOW",
        "VISIT_STORE",
        "WATCH_NOW",
    },
}
LIST_ENUMS = {
    "placements": {
        "PLACEMENT_TIKTOK",
        "PLACEMENT_PANGLE",
        "PLACEMENT_GLOBAL_APP_BUNDLE",
    },
    "age_groups": {
        "AGE_13_17",
        "AGE_18_24",
        "AGE_25_34",
        "AGE_35_44",
        "AGE_45_54",
        "AGE_55_100",
    },
    "special_industries": {"HOUSING", "EMPLOYMENT", "CREDIT"},
    "operating_systems": {"ANDROID", "IOS"},
}
FILTERS = {
    "campaign": {
        "campaign_ids",
        "campaign_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
    "adgroup": {
        "campaign_ids",
        "adgroup_ids",
        "adgroup_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
    "ad": {
        "campaign_ids",
        "adgroup_ids",
        "ad_ids",
        "ad_name",
        "objective_type",
        "buying_types",
        "primary_status",
        "secondary_status",
        "creation_filter_start_time",
        "creation_filter_end_time",
    },
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "campaign": {
        "operation_status": "ENABLE",
        "budget_optimize_on": True,
        "campaign_type": "REGULAR_CAMPAIGN",
    },
    "adgroup": {
        "operation_status": "ENABLE",
        "placement_type": "PLACEMENT_TYPE_NORMAL",
        "gender": "GENDER_UNLIMITED",
        "creative_material_mode": "CUSTOM",
        "dayparting": "1" * 336,
        "languages": [],
        "comment_disabled": False,
    },
    "ad": {"operation_status": "ENABLE", "deeplink_type": "NORMAL"},
}
SCHEMAS = {"campaign": "campaign", "adgroup": "ad_set", "ad": "ad"}
#: offsets that keep the ids of the kinds apart, all 16 digits as TikTok's are
ID_BASE = {
    "campaign": 1_800_000_000_000_000,
    "adgroup": 1_810_000_000_000_000,
    "ad": 1_820_000_000_000_000,
}
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u26ff\ufe0f]")
JSON_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


class Refused(Exception):
    """An answer with a code other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def wrong(message: str) -> Refused:
    return Refused(40002, message)


class TikTokSandbox(Sandbox):
    """`currencies` gives advertisers a currency (id -> ISO code): their budgets are then held against
    TikTok's range and precision. `qps` limits requests per second and door; None, the default, sets no limit.

    Two faults of its own: `ignore_status` (created ENABLEd whatever was asked, as TikTok does with accounts
    that are not on its allowlist) and `lag` (what is created shows in get doors only after `seconds`).
    """

    key = "tiktok"

    def __init__(
        self,
        store: Store | None = None,
        clock: Callable[[], float] | None = None,
        *,
        currencies: Mapping[str, str] | None = None,
        qps: int | None = None,
    ) -> None:
        super().__init__(store, **({"clock": clock} if clock else {}))
        self.currencies = dict(currencies or {})
        self.qps = qps
        self._writing = threading.RLock()
        self._answered: dict[tuple[str, str, str], tuple[float, Any]] = {}
        self._seen: dict[tuple[str, int], int] = {}
        self._striking = threading.local()

    # -------------------------------------------------------------------------------------- answers

    def respond(self, request: Request) -> Response:
        try:
            self._count(request)
            return self._ok(self._answer(request))
        except Refused as refusal:
            return self._envelope(refusal.code, refusal.message, {})

    def throttled(self, request: Request, seconds: float) -> Response:
        """TikTok names no waiting time."""
        return self._envelope(40100, "Requests made too frequently. Please try again later.", {})

    def unauthorised(self, request: Request) -> Response:
        return self._envelope(40105, "Access token is incorrect or has been revoked.", {})

    def server_error(self, request: Request) -> Response:
        return self._envelope(50000, "System error, please try again later.", {})

    def _struck(self, request: Request, fault: Fault) -> Response:
        if fault.kind not in ("ignore_status", "lag"):
            return super()._struck(request, fault)
        self._striking.fault = fault
        try:
            return self.respond(request)
        finally:
            self._striking.fault = None

    def _ok(self, data: Any) -> Response:
        return self._envelope(0, "OK", data)

    def _envelope(self, code: int, message: str, data: Any) -> Response:
        serial = f"{int(self.clock() * 1000):020d}"
        return Response.json(200, {"code": code, "message": message, "request_id": serial, "data": data})

    # ---------------------------------------------------------------------------------------- doors

    def _answer(self, request: Request) -> Any:
        token = request.headers.get("access-token", "")
        if not token:
            raise Refused(
                40104,
                "Access token is null. Please pass it in the Access-Token header.",
            )
        if token == "expired":  # noqa: S105 - the sandbox's word for an expired token
            raise Refused(40102, "Access token has expired.")
        door = re.fullmatch(
            re.escape(PREFIX) + r"(campaign|adgroup|ad)/(create|get|status/update)/",
            request.path,
        )
        if not door:
            raise Refused(40400, f"Path {request.path} not found.")
        kind, deed = door.groups()
        if request.method != ("GET" if deed == "get" else "POST"):
            raise Refused(40400, f"Method {request.method} is not supported for {request.path}.")
        if deed == "get":
            return self._get(kind, request.query)
        body = _json_body(request)
        with self._writing:
            return self._create(kind, body) if deed == "create" else self._set_status(kind, body)

    def _count(self, request: Request) -> None:
        if self.qps is None:
            return
        now = int(self.clock())
        self._seen = {key: n for key, n in self._seen.items() if key[1] == now}
        self._seen[(request.path, now)] = self._seen.get((request.path, now), 0) + 1
        if self._seen[(request.path, now)] > self.qps:
            raise Refused(40100, "Requests made too frequently. Please try again later.")

    # --------------------------------------------------------------------------------------- create

    def _create(self, kind: str, body: dict[str, Any]) -> Any:
        _check_fields(kind, body)
        advertiser = _advertiser(body)
        key = (kind, advertiser, body.get("request_id", ""))
        if key[2]:
            if not (key[2].isdigit() and int(key[2]) < 2**63):
                raise wrong("request_id: Not a valid 64-bit integer.")
            told = self._answered.get(key)
            if told and self.clock() - told[0] < IDEMPOTENT_S:
                return told[1]
        data = getattr(self, f"_create_{kind}")(advertiser, body)
        if key[2]:
            now = self.clock()
            self._answered = {k: v for k, v in self._answered.items() if now - v[0] < IDEMPOTENT_S}
            self._answered[key] = (now, data)
        return data

    def _create_campaign(self, advertiser: str, body: dict[str, Any]) -> Any:
        _check_name("campaign_name", body["campaign_name"])
        _one_of("objective_type", body["objective_type"], OBJECTIVES)
        _check_enums(body)
        optimised = body.get("budget_optimize_on", True)
        mode = body.get("budget_mode")
        if mode is None:
            raise wrong("budget_mode: Missing data for required field.")
        if optimised and mode == "BUDGET_MODE_INFINITE":
            raise wrong("budget_mode: BUDGET_MODE_INFINITE is not supported when budget_optimize_on is true.")
        if not optimised and mode == "BUDGET_MODE_DYNAMIC_DAILY_BUDGET":
            raise wrong("budget_mode: BUDGET_MODE_DYNAMIC_DAILY_BUDGET needs budget_optimize_on.")
        if mode != "BUDGET_MODE_INFINITE":
            self._check_budget(advertiser, body.get("budget"), mode, 50, 1)
        if body["objective_type"] == "APP_PROMOTION" and "app_promotion_type" not in body:
            raise wrong("app_promotion_type: Missing data for required field.")
        self._check_unique("campaign", advertiser, "", "campaign_name", body)
        return self._keep("campaign", advertiser, "", body["campaign_name"], body)

    def _create_adgroup(self, advertiser: str, body: dict[str, Any]) -> Any:
        campaign = self._parent("campaign", advertiser, body["campaign_id"])
        _check_name("adgroup_name", body["adgroup_name"])
        _check_enums(body)
        _check_goal(campaign, body)
        _check_schedule(body, self.clock())
        _check_audience(body, campaign)
        optimised = campaign.get("budget_optimize_on", True)
        if not optimised:
            if body["budget_mode"] == "BUDGET_MODE_INFINITE":
                raise wrong("budget_mode: Not supported at ad group level.")
            self._check_budget(advertiser, body["budget"], body["budget_mode"], 20, _days(body))
        _check_bid(body, optimised)
        if optimised:
            self._check_siblings(advertiser, body)
        self._check_unique("adgroup", advertiser, body["campaign_id"], "adgroup_name", body)
        return self._keep("adgroup", advertiser, body["campaign_id"], body["adgroup_name"], body)

    def _create_ad(self, advertiser: str, body: dict[str, Any]) -> Any:
        group = self._parent("adgroup", advertiser, body["adgroup_id"])
        creatives = body["creatives"]
        if not 1 <= len(creatives) <= 20:
            raise wrong("creatives: Length must be between 1 and 20.")
        if len(self._live("ad", advertiser, body["adgroup_id"])) + len(creatives) > 50:
            raise Refused(40502, "The number of ads in the ad group exceeds the limit of 50.")
        for index, creative in enumerate(creatives):
            _check_creative(creative, group, f"creatives.{index}.")
        campaign_id = group["campaign_id"]
        kept = [
            self._keep(
                "ad",
                advertiser,
                body["adgroup_id"],
                creative["ad_name"],
                {
                    **creative,
                    "advertiser_id": advertiser,
                    "adgroup_id": body["adgroup_id"],
                    "campaign_id": campaign_id,
                },
            )
            for creative in creatives
        ]
        return {
            "ad_ids": [each["ad_id"] for each in kept],
            "creatives": kept,
            "need_audit": True,
        }

    def _keep(
        self,
        kind: str,
        advertiser: str,
        parent: str,
        name: str,
        body: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Store with TikTok's defaults for what was not sent: without a status, an object is on."""
        fault: Fault | None = getattr(self._striking, "fault", None)
        record = {
            **DEFAULTS[kind],
            **{k: v for k, v in body.items() if k != "request_id"},
        }
        if fault and fault.kind == "ignore_status":
            record["operation_status"] = "ENABLE"
        if fault and fault.kind == "lag":
            record["_visible_from"] = self.clock() + fault.seconds
        record["secondary_status"] = f"{kind.upper()}_STATUS_{record['operation_status']}"
        record["create_time"] = datetime.fromtimestamp(self.clock(), UTC).strftime(TIME)
        stored = self.store.add(
            kind,
            advertiser,
            parent,
            name,
            record,
            lambda n: str(ID_BASE[kind] + n),
            self.clock(),
        )
        return _shown(kind, stored)

    def _parent(self, kind: str, advertiser: str, parent_id: str) -> dict[str, Any]:
        parent = self.store.get(kind, parent_id)
        if parent is None or parent["_account"] != advertiser or parent["operation_status"] == "DELETE":
            raise wrong(f"{kind}_id: {kind} {parent_id} doesn't exist.")
        return parent

    def _live(self, kind: str, advertiser: str, parent: str) -> list[dict[str, Any]]:
        found = self.store.find(kind, advertiser, parent=parent)
        return [each for each in found if each["operation_status"] != "DELETE"]

    def _check_unique(
        self,
        kind: str,
        advertiser: str,
        parent: str,
        field: str,
        body: Mapping[str, Any],
    ) -> None:
        """A request id also says that a name may be used twice."""
        if body.get("request_id"):
            return
        same = self.store.find(kind, advertiser, parent=parent, name=body[field])
        if any(each["operation_status"] != "DELETE" for each in same):
            raise wrong(f"{field}: The name already exists. Please try another one.")

    def _check_siblings(self, advertiser: str, body: Mapping[str, Any]) -> None:
        for sibling in self._live("adgroup", advertiser, body["campaign_id"])[:1]:
            for field in ("optimization_goal", "bid_type", "optimization_event"):
                if sibling.get(field) != body.get(field):
                    raise wrong(
                        f"{field}: Must be the same for all ad groups when budget_optimize_on is true."
                    )

    def _check_budget(self, advertiser: str, budget: Any, mode: str, base: int, days: int) -> None:
        if budget is None or budget <= 0:
            raise wrong("budget: Must be greater than 0.")
        row = REFERENCE["currencies"].get(self.currencies.get(advertiser, ""))
        if row is None:
            return
        try:
            amount = Decimal(str(budget))
        except InvalidOperation:
            raise wrong("budget: Not a valid number.") from None
        if amount % Decimal(row["unit"]):
            raise wrong(f"budget: The precision of the currency is {row['unit']}.")
        least = base * Decimal(row["ratio"]) * (days if mode == "BUDGET_MODE_TOTAL" else 1)
        if amount < least:
            raise wrong(f"Your budget setting must not be less than {least} {self.currencies[advertiser]}.")

    # ------------------------------------------------------------------------------ status and look-up

    def _set_status(self, kind: str, body: dict[str, Any]) -> Any:
        known = {"advertiser_id", f"{kind}_ids", "operation_status"}
        known |= {
            "campaign": {"postback_window_mode"},
            "adgroup": {"allow_partial_success"},
            "ad": {"aco_ad_ids"},
        }[kind]
        for field in body.keys() - known:
            raise wrong(f"{field}: Unknown field.")
        advertiser, ids = _advertiser(body), body.get(f"{kind}_ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 20:
            raise wrong(f"{kind}_ids: Length must be between 1 and 20.")
        _one_of(
            "operation_status",
            body.get("operation_status"),
            {"ENABLE", "DISABLE", "DELETE"},
        )
        for each in ids:
            self._parent(kind, advertiser, each)
        status = body["operation_status"]
        for each in ids:
            change = {
                "operation_status": status,
                "secondary_status": f"{kind.upper()}_STATUS_{status}",
            }
            self.store.update(kind, each, change)
        return {f"{kind}_ids": ids, "status": status}

    def _get(self, kind: str, query: Mapping[str, str]) -> Any:
        advertiser = _advertiser(query)
        filtering = _json_parameter(query, "filtering", dict)
        for field in filtering.keys() - FILTERS[kind]:
            raise wrong(f"filtering.{field}: Unknown field.")
        page, size = (
            _number(query, "page", 1, 10**9),
            _number(query, "page_size", 10, 1000),
        )
        fields = set(_json_parameter(query, "fields", list))
        rows = [
            each
            for each in self._candidates(kind, advertiser, filtering)
            if self._matches(kind, each, filtering)
        ]
        shown = [_shown(kind, each) for each in rows[(page - 1) * size : page * size]]
        if fields:
            shown = [{k: v for k, v in each.items() if k in fields} for each in shown]
        info = {
            "page": page,
            "page_size": size,
            "total_number": len(rows),
            "total_page": -(-len(rows) // size),
        }
        return {"list": shown, "page_info": info}

    def _candidates(self, kind: str, advertiser: str, filtering: Mapping[str, Any]) -> list[dict[str, Any]]:
        """By id where ids are given, else all below one parent, else all of the advertiser."""
        ids = filtering.get(f"{kind}_ids")
        if ids is not None:
            if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
                raise wrong(f"filtering.{kind}_ids: Length must be between 1 and 100.")
            found = (self.store.get(kind, each) for each in ids)
            return [each for each in found if each and each["_account"] == advertiser]
        parents = filtering.get({"adgroup": "campaign_ids", "ad": "adgroup_ids"}.get(kind, ""))
        if parents:
            return [each for parent in parents for each in self.store.find(kind, advertiser, parent=parent)]
        return self.store.find(kind, advertiser)

    def _matches(self, kind: str, row: Mapping[str, Any], filtering: Mapping[str, Any]) -> bool:
        """Names are searched fuzzily, deleted objects are not shown, and reads may lag."""
        name = filtering.get(f"{kind}_name", "")
        campaign = row["id"] if kind == "campaign" else row["campaign_id"]
        return (
            row["operation_status"] != "DELETE"
            and row.get("_visible_from", 0) <= self.clock()
            and name.casefold() in row[f"{kind}_name"].casefold()
            and campaign in filtering.get("campaign_ids", [campaign])
        )


# ------------------------------------------------------------------------------------------- reading


def _json_body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(40000, "Content-Type must be application/json.")
    try:
        body = json.loads(request.body, parse_constant=_no_constant)
    except ValueError:
        raise Refused(40000, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Refused(40000, "The request body must be a JSON object.")
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _json_parameter(query: Mapping[str, str], name: str, kind: type) -> Any:
    if name not in query:
        return kind()
    try:
        value = json.loads(query[name])
    except ValueError:
        raise wrong(f"{name}: Not a valid JSON value.") from None
    if not isinstance(value, kind):
        raise wrong(f"{name}: Not a valid {'list' if kind is list else 'object'}.")
    return value


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise wrong(f"{name}: Must be between 1 and {most}.")
    return int(text)


def _advertiser(body: Mapping[str, Any]) -> str:
    advertiser = body.get("advertiser_id")
    if not isinstance(advertiser, str) or not advertiser.isdigit():
        raise wrong("advertiser_id: Missing data for required field or not a valid id.")
    return advertiser


def _shown(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the API shows: no inner columns, the id under its own name."""
    shown = {key: value for key, value in row.items() if not key.startswith("_") and key != "id"}
    return {**shown, f"{kind}_id": row["id"]}


# -------------------------------------------------------------------------------------------- rules


#: Fields that must be sent, by door and for `creatives[]` (v1.3 documents of the create doors).
REQUIRED = {
    "campaign": ("advertiser_id", "campaign_name", "objective_type"),
    "adgroup": (
        "advertiser_id",
        "campaign_id",
        "adgroup_name",
        "budget_mode",
        "budget",
        "schedule_type",
        "schedule_start_time",
        "optimization_goal",
        "billing_event",
        "pacing",
    ),
    "ad": ("advertiser_id", "adgroup_id", "creatives"),
    "creative": ("ad_name", "identity_type", "identity_id", "ad_format"),
}


def _check_fields(kind: str, body: dict[str, Any]) -> None:
    """Known names, JSON types and required fields, by the SDK's models; enums are checked apart."""
    schema = REFERENCE["schemas"][SCHEMAS[kind]]
    _check_object(body, schema, schema["$defs"], "")
    for field in REQUIRED[kind]:
        if field not in body:
            raise wrong(f"{field}: Missing data for required field.")


def _check_object(value: dict[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], at: str) -> None:
    for field, item in value.items():
        if field not in schema["properties"]:
            raise wrong(f"{at}{field}: Unknown field.")
        _check_type(item, schema["properties"][field], defs, f"{at}{field}")


def _check_type(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], at: str) -> None:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "string")  # the enums of the reference are all strings
    if not JSON_TYPES[kind](value):
        raise wrong(f"{at}: Not a valid {kind}.")
    if kind == "array":
        for index, item in enumerate(value):
            _check_type(item, schema["items"], defs, f"{at}.{index}")
    elif kind == "object" and "properties" in schema:
        _check_object(value, schema, defs, f"{at}.")


def _one_of(field: str, value: Any, known: set[str]) -> None:
    if value not in known:
        raise wrong(f"{field}: Must be one of: {', '.join(sorted(known))}.")


def _check_enums(body: Mapping[str, Any], at: str = "") -> None:
    for field, known in ENUMS.items():
        if field in body:
            _one_of(f"{at}{field}", body[field], known)
    for field, known in LIST_ENUMS.items():
        for value in body.get(field, []):
            _one_of(f"{at}{field}", value, known)


def _weight(text: str) -> int:
    return sum(2 if "\u3040" <= char <= "\u30ff" or "\u4e00" <= char <= "\u9fff" else 1 for char in text)


def _check_name(field: str, name: str, most: int = 512) -> None:
    if not 1 <= _weight(name.strip()) <= most:
        raise wrong(f"{field}: Length must be between 1 and {most}.")
    if EMOJI.search(name):
        raise wrong(f"{field}: Emoji is not supported.")


def _check_goal(campaign: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    objective, goal = campaign["objective_type"], body["optimization_goal"]
    _one_of("optimization_goal", goal, GOALS.get(objective, set(BILLING)))
    if body["billing_event"] != BILLING[goal]:
        raise wrong(f"billing_event: {body['billing_event']} does not match optimization_goal {goal}.")
    if objective not in ("REACH", "VIDEO_VIEWS", "ENGAGEMENT") and "promotion_type" not in body:
        raise wrong("promotion_type: Missing data for required field.")
    if objective == "LEAD_GENERATION" and body["promotion_type"] != "LEAD_GENERATION":
        raise wrong("promotion_type: Must be LEAD_GENERATION.")
    if objective == "APP_PROMOTION":
        if not body.get("app_id"):
            raise wrong("app_id: Missing data for required field.")
        if len(body.get("operating_systems", [])) != 1:
            raise wrong("operating_systems: Only one value is allowed.")
    if goal in ("CONVERT", "VALUE"):
        if not body.get("pixel_id"):
            raise wrong("Please select a pixel.")
        if not body.get("optimization_event"):
            raise wrong("optimization_event: Missing data for required field.")
    if goal == "IN_APP_EVENT" and not body.get("optimization_event"):
        raise wrong("optimization_event: Missing data for required field.")
    if body.get("pixel_id") and objective not in (
        "WEB_CONVERSIONS",
        "LEAD_GENERATION",
        "PRODUCT_SALES",
    ):
        raise wrong("pixel_id: Not supported for this objective.")
    if objective != "REACH" and ("frequency" in body or "frequency_schedule" in body):
        raise wrong("frequency: Only available for REACH.")


def _time(body: Mapping[str, Any], field: str) -> datetime:
    try:
        return datetime.strptime(body[field], TIME).replace(tzinfo=UTC)
    except ValueError:
        raise wrong(f"{field}: Not a valid datetime, the format is YYYY-MM-DD HH:MM:SS.") from None


def _check_schedule(body: Mapping[str, Any], now: float) -> None:
    """Times are UTC; a start may lie at most twelve hours back."""
    start = _time(body, "schedule_start_time")
    if start.timestamp() < now - 12 * 3600:
        raise wrong("schedule_start_time: Must not be earlier than 12 hours ago.")
    ends = body["schedule_type"] == "SCHEDULE_START_END"
    if body["budget_mode"] == "BUDGET_MODE_TOTAL" and not ends:
        raise wrong("schedule_type: Must be SCHEDULE_START_END when budget_mode is BUDGET_MODE_TOTAL.")
    if ends and "schedule_end_time" not in body:
        raise wrong("schedule_end_time: Missing data for required field.")
    if ends and _time(body, "schedule_end_time") <= start:
        raise wrong("schedule_end_time: Must be later than schedule_start_time.")
    if not re.fullmatch("[01]{336}", body.get("dayparting", "1" * 336)):
        raise wrong("dayparting: Must have 336 characters of 0 or 1.")


def _days(body: Mapping[str, Any]) -> int:
    """Whole days of the schedule, a part of a day counted as one."""
    if "schedule_end_time" not in body:
        return 1
    span = _time(body, "schedule_end_time") - _time(body, "schedule_start_time")
    return max(1, -(-int(span.total_seconds()) // 86400))


def _check_audience(body: Mapping[str, Any], campaign: Mapping[str, Any]) -> None:
    locations = body.get("location_ids", []) + body.get("zipcode_ids", [])
    if not 1 <= len(locations) <= 3000:
        raise wrong("location_ids: Length must be between 1 and 3000.")
    for field in (
        "location_ids",
        "interest_category_ids",
        "audience_ids",
        "excluded_audience_ids",
    ):
        if not all(each.isdigit() for each in body.get(field, [])):
            raise wrong(f"{field}: Ids must be numeric.")
    if set(body.get("audience_ids", [])) & set(body.get("excluded_audience_ids", [])):
        raise wrong("excluded_audience_ids: The same audience can't be included and excluded.")
    if body.get("placement_type", "PLACEMENT_TYPE_NORMAL") == "PLACEMENT_TYPE_NORMAL" and not body.get(
        "placements"
    ):
        raise wrong("placements: Missing data for required field.")
    if campaign.get("special_industries"):
        adults = sorted(LIST_ENUMS["age_groups"] - {"AGE_13_17"})
        if (
            body.get("gender", "GENDER_UNLIMITED") != "GENDER_UNLIMITED"
            or sorted(body.get("age_groups", adults)) != adults
        ):
            raise wrong("age_groups: Age and gender can't be targeted with special_industries.")


def _check_bid(body: Mapping[str, Any], optimised: bool) -> None:
    kind = body.get("bid_type")
    if kind is None and optimised:
        raise wrong("bid_type: Missing data for required field.")
    priced = "conversion_bid_price" if body["billing_event"] == "OCPM" else "bid_price"
    if kind == "BID_TYPE_CUSTOM":
        if not body.get(priced):
            raise wrong(f"{priced}: Missing data for required field.")
        if body[priced] >= body["budget"]:
            raise wrong(f"{priced}: Must be lower than the budget.")
        if body["billing_event"] == "CPV" and body.get("bid_display_mode") != "CPV":
            raise wrong("bid_display_mode: Must be CPV.")
    elif body["pacing"] != "PACING_MODE_SMOOTH":
        raise wrong("pacing: Must be PACING_MODE_SMOOTH when bid_type is BID_TYPE_NO_BID.")
    elif body.get("bid_price") or body.get("conversion_bid_price"):
        raise wrong("bid_price: Not supported when bid_type is BID_TYPE_NO_BID.")


def _check_creative(creative: Mapping[str, Any], group: Mapping[str, Any], at: str) -> None:
    for field in REQUIRED["creative"]:
        if not creative.get(field):
            raise wrong(f"{at}{field}: Missing data for required field.")
    _check_enums(creative, at)
    _check_name(f"{at}ad_name", creative["ad_name"])
    spark = "tiktok_item_id" in creative
    if not spark:
        _check_name(f"{at}ad_text", creative.get("ad_text", ""), 100)
    if creative["identity_type"] == "BC_AUTH_TT" and not creative.get("identity_authorized_bc_id"):
        raise wrong(f"{at}identity_authorized_bc_id: Missing data for required field.")
    if creative["identity_type"] == "AUTH_CODE" and not spark:
        raise wrong(f"{at}tiktok_item_id: Missing data for required field.")
    _check_media(creative, group, spark, at)
    _check_destination(creative, group, at)


def _check_media(creative: Mapping[str, Any], group: Mapping[str, Any], spark: bool, at: str) -> None:
    form, images = creative["ad_format"], creative.get("image_ids", [])
    if form == "SINGLE_VIDEO" and not spark and not creative.get("video_id"):
        raise wrong(f"{at}video_id: Missing data for required field.")
    if form != "SINGLE_VIDEO" and creative.get("video_id"):
        raise wrong(f"{at}video_id: Not supported for {form}.")
    if form in ("SINGLE_VIDEO", "SINGLE_IMAGE") and not spark and len(images) != 1:
        raise wrong(f"{at}image_ids: Exactly one image is required.")
    if form == "SINGLE_IMAGE" and "PLACEMENT_TIKTOK" in group.get("placements", []):
        raise wrong(f"{at}ad_format: SINGLE_IMAGE is not supported for PLACEMENT_TIKTOK.")
    if form == "CAROUSEL_ADS":
        if not 1 <= len(images) <= 35:
            raise wrong(f"{at}image_ids: Length must be between 1 and 35.")
        if not creative.get("music_id"):
            raise wrong(f"{at}music_id: Missing data for required field.")


def _check_destination(creative: Mapping[str, Any], group: Mapping[str, Any], at: str) -> None:
    website = (
        group.get("promotion_type") == "WEBSITE" or group.get("promotion_target_type") == "EXTERNAL_WEBSITE"
    )
    url = creative.get("landing_page_url")
    if website and not url:
        raise wrong(f"{at}landing_page_url: Missing data for required field.")
    if url and not re.match(r"https?://[^/\s]+", url):
        raise wrong(f"{at}landing_page_url: Not a valid URL.")
    form = group.get("promotion_type") == "LEAD_GENERATION" and not website
    if form and not creative.get("page_id"):
        raise wrong(f"{at}page_id: Missing data for required field.")
