"""TikTok's API played locally: what v1.3 takes, refuses and answers.

Knows nothing of how we build requests; its rules are in `sandbox_rules.py`. Always HTTP 200 with
`{code, message, request_id, data}`.

Its conventions: an ad whose words contain "REJECTME" is refused by the review; `tamper("account", id, {...})` says
what the account doors tell of an advertiser (status, currency, timezone, balance, identities, pixels; also `spend` of
an object, against which budgets are held).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trafficking.platforms.sandbox_base import Fault, Request, Response, Sandbox, Store
from trafficking.platforms.tiktok import sandbox_events as conversions
from trafficking.platforms.tiktok import sandbox_library as library
from trafficking.platforms.tiktok import sandbox_rules as rules
from trafficking.platforms.tiktok import sandbox_smart as smart_rules
from trafficking.platforms.tiktok.sandbox_rules import REFERENCE, TIME, Refused, wrong

IDEMPOTENT_S = 10.0  # request_id is remembered for about ten seconds
PREFIX = "/open_api/v1.3/"
TREE_DOOR = re.compile(
    re.escape(PREFIX) + r"(smart_plus/)?(campaign|adgroup|ad)/(create|get|update|status/update)/"
)
PARENT = {"adgroup": "campaign", "ad": "adgroup"}
#: Optional fields of an ad group that an update without them takes away (its mode is full replacement).
REPLACED = (
    "languages", "age_groups", "interest_category_ids", "interest_keyword_ids", "audience_ids",
    "excluded_audience_ids", "network_types", "spending_power", "dayparting", "category_exclusion_ids",
)  # fmt: skip
STATUS_FIELDS: Mapping[str, set[str]] = {
    "campaign": {"postback_window_mode"},
    "adgroup": {"allow_partial_success"},
    "ad": {"aco_ad_ids"},
}
UPLOADS = {f"{PREFIX}file/{word}/ad/upload/": word for word in ("image", "video")}


class TikTokSandbox(Sandbox):
    """`currencies` gives advertisers a currency (id -> ISO code): their budgets are then held against TikTok's range
    and precision, as they are once `tamper("account", id, {"currency": …})` says one.

    An uploaded video is processed for `processing_s` seconds before it can be used.

    A fault of its own: `ignore_status` (created ENABLEd whatever was asked, as TikTok does with accounts that are not
    on its allowlist).
    """

    key = "tiktok"

    def __init__(
        self,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        *,
        currencies: Mapping[str, str] | None = None,
        processing_s: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(store, clock, **settings)
        self.processing_s = processing_s
        self._writing = threading.RLock()
        self._answered: dict[tuple[str, str, str], tuple[float, Any]] = {}
        self._striking = threading.local()
        for advertiser, currency in (currencies or {}).items():
            self.tamper("account", advertiser, {"currency": currency})

    # -------------------------------------------------------------------------------------- answers

    def account_of(self, request: Request) -> str:
        """TikTok counts calls by app and door; here by advertiser, as our own budget does."""
        if "advertiser_id" in request.query:
            return request.query["advertiser_id"]
        if "advertiser_ids" in request.query:
            return re.sub(r"[^0-9,]", "", request.query["advertiser_ids"]).partition(",")[0]
        if request.path == conversions.DOOR:
            return ""  # a pixel's events count towards no advertiser
        found = re.search(rb'"advertiser_id"[:\s]+"?(\d+)', request.body)
        return found[1].decode() if found else ""

    def respond(self, request: Request) -> Response:
        try:
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

    def tamper(self, kind: str, object_id: str, changes: Mapping[str, Any]) -> None:
        """As the base does; an account that was never spoken of is made."""
        if kind == "account" and self.store.get(kind, object_id) is None:
            self.store.add(kind, object_id, "", object_id, {}, lambda _: object_id, self.clock())
        own_name = {f"{kind}_name": changes["name"]} if "name" in changes and kind in rules.SCHEMAS else {}
        super().tamper(kind, object_id, {**changes, **own_name})

    def _struck(self, request: Request, fault: Fault) -> Response:
        if fault.kind != "ignore_status":
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
            raise Refused(40104, "Access token is null. Please pass it in the Access-Token header.")
        if token == "expired":  # noqa: S105 - the sandbox's word for an expired token
            raise Refused(40102, "Access token has expired.")
        if request.path == conversions.DOOR:
            _only(request, "POST")
            return conversions.take(rules.json_body(request), self.conversions, self.clock())
        door = TREE_DOOR.fullmatch(request.path)
        if door:
            return self._tree_door(request, bool(door[1]), door[2], door[3])
        if request.path in UPLOADS:
            _only(request, "POST")
            with self._writing:
                return library.upload(self.store, UPLOADS[request.path], request, self.clock())
        reading = self._reading_doors().get(request.path.removeprefix(PREFIX))
        if reading is None:
            raise Refused(40400, f"Path {request.path} not found.")
        _only(request, "GET")
        return reading(request.query)

    def _tree_door(self, request: Request, smart: bool, kind: str, deed: str) -> Any:
        _only(request, "GET" if deed == "get" else "POST")
        if deed == "get":
            return self._get(kind, smart, request.query)
        body = rules.json_body(request)
        with self._writing:
            if deed == "create":
                return self._create(kind, smart, body)
            return (
                self._update(kind, smart, body) if deed == "update" else self._set_status(kind, smart, body)
            )

    def _reading_doors(self) -> dict[str, Callable[[Mapping[str, str]], Any]]:
        return {
            "advertiser/info/": self._advertiser_info,
            "identity/info/": self._identity_info,
            "pixel/list/": self._pixels,
            "file/video/ad/info/": self._video_info,
            "file/video/ad/search/": lambda query: self._search_library("video", query),
            "file/image/ad/search/": lambda query: self._search_library("image", query),
            "ad/review_info/": lambda query: self._review_info(query, "ad"),
            "smart_plus/ad/review_info/": lambda query: self._review_info(query, "smart_plus_ad"),
        }

    # --------------------------------------------------------------------------------------- create

    def _create(self, kind: str, smart: bool, body: dict[str, Any]) -> Any:
        form = "smart." if smart else ""
        rules.check_fields(form + rules.SCHEMAS[kind], body, rules.REQUIRED[form + kind])
        advertiser = rules.advertiser(body)
        key = (form + kind, advertiser, body.get("request_id", ""))
        if key[2]:
            if not (key[2].isdigit() and int(key[2]) < 2**63):
                raise wrong("request_id: Not a valid 64-bit integer.")
            told = self._answered.get(key)
            if told and self.clock() - told[0] < IDEMPOTENT_S:
                return told[1]
        data = getattr(self, f"_create_{'smart_' if smart else ''}{kind}")(advertiser, body)
        if key[2]:
            now = self.clock()
            self._answered = {k: v for k, v in self._answered.items() if now - v[0] < IDEMPOTENT_S}
            self._answered[key] = (now, data)
        return data

    def _create_campaign(self, advertiser: str, body: dict[str, Any]) -> Any:
        self._check_account(advertiser)
        self._check_campaign(advertiser, body)
        self._check_unique("campaign", advertiser, "", "campaign_name", body)
        return self._keep("campaign", advertiser, "", body["campaign_name"], body)

    def _check_campaign(self, advertiser: str, body: Mapping[str, Any]) -> None:
        rules.check_name("campaign_name", body["campaign_name"])
        rules.one_of("objective_type", body["objective_type"], rules.OBJECTIVES)
        rules.check_enums(body)
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

    def _create_adgroup(self, advertiser: str, body: dict[str, Any]) -> Any:
        campaign = self._standing("campaign", advertiser, body["campaign_id"])
        self._check_adgroup(advertiser, campaign, body)
        if campaign.get("budget_optimize_on", True):
            self._check_siblings(advertiser, body)
            # the campaign's budget counts; what the ad group says of one is ignored
            kept = {
                **body,
                "budget": 0,
                "budget_mode": "BUDGET_MODE_INFINITE",
                "pacing": "PACING_MODE_SMOOTH",
            }
        else:
            kept = body
        self._check_unique("adgroup", advertiser, body["campaign_id"], "adgroup_name", body)
        return self._keep("adgroup", advertiser, body["campaign_id"], body["adgroup_name"], kept)

    def _check_adgroup(
        self, advertiser: str, campaign: Mapping[str, Any], body: Mapping[str, Any], standing_start: str = ""
    ) -> None:
        rules.check_name("adgroup_name", body["adgroup_name"])
        rules.check_enums(body)
        rules.check_goal(campaign, body)
        rules.check_schedule(body, self.clock(), standing_start=standing_start)
        rules.check_audience(body, campaign)
        optimised = campaign.get("budget_optimize_on", True)
        if not optimised:
            if body["budget_mode"] == "BUDGET_MODE_INFINITE":
                raise wrong("budget_mode: Not supported at ad group level.")
            self._check_budget(advertiser, body["budget"], body["budget_mode"], 20, rules.days(body))
        rules.check_bid(body, optimised)

    def _create_ad(self, advertiser: str, body: dict[str, Any]) -> Any:
        group = self._standing("adgroup", advertiser, body["adgroup_id"])
        creatives = body["creatives"]
        if not 1 <= len(creatives) <= 20:
            raise wrong("creatives: Length must be between 1 and 20.")
        if len(self._live("ad", advertiser, body["adgroup_id"])) + len(creatives) > 50:
            raise Refused(40502, "The number of ads in the ad group exceeds the limit of 50.")
        for index, creative in enumerate(creatives):
            self._check_creative(advertiser, creative, group, f"creatives.{index}.")
        above = {
            "advertiser_id": advertiser, "adgroup_id": body["adgroup_id"], "campaign_id": group["campaign_id"],
        }  # fmt: skip
        kept = [
            self._keep("ad", advertiser, body["adgroup_id"], creative["ad_name"], {**creative, **above})
            for creative in creatives
        ]
        return {"ad_ids": [each["ad_id"] for each in kept], "creatives": kept, "need_audit": True}

    def _check_creative(
        self, advertiser: str, creative: Mapping[str, Any], group: Mapping[str, Any], at: str
    ) -> None:
        rules.check_creative(creative, group, at)
        self._check_usable(
            advertiser, str(creative.get("video_id") or ""), creative.get("image_ids") or [], at
        )

    def _check_usable(self, advertiser: str, video_id: str, image_ids: list[str], at: str) -> None:
        """Ids of this library must be the advertiser's own and ready; others it takes to be in the real one."""
        for word, ids in (("video", [video_id]), ("image", image_ids)):
            for each in ids:
                if not each.startswith(library.OWN_ID[word]):
                    continue
                row = self.store.get(word, each)
                if row is None or row["_account"] != advertiser:
                    raise wrong(f"{at}{word}_id: {word} {each} doesn't exist.")
                if word == "video" and not self._processed(row):
                    raise wrong(f"{at}video_id: The video is still being processed.")

    # ---------------------------------------------------------------------------- the automated form

    def _create_smart_campaign(self, advertiser: str, body: dict[str, Any]) -> Any:
        self._check_account(advertiser)
        smart_rules.check_campaign(body)
        kept = dict(body)
        if body.get("budget_optimize_on", True):
            kept.setdefault("budget_mode", smart_rules.DAILY)
            self._check_budget(advertiser, body.get("budget"), kept["budget_mode"], 50, 1)
        return self._keep("campaign", advertiser, "", body["campaign_name"], kept, smart=True)

    def _create_smart_adgroup(self, advertiser: str, body: dict[str, Any]) -> Any:
        campaign = self._standing("campaign", advertiser, body["campaign_id"], smart=True)
        self._check_smart_adgroup(advertiser, campaign, body)
        for sibling in self._live("adgroup", advertiser, body["campaign_id"])[:1]:
            for field in ("bid_type", "budget_mode"):
                if sibling.get(field) != body.get(field):
                    raise wrong(f"{field}: Must be the same for all ad groups of the campaign.")
        return self._keep("adgroup", advertiser, body["campaign_id"], body["adgroup_name"], body, smart=True)

    def _check_smart_adgroup(
        self, advertiser: str, campaign: Mapping[str, Any], body: Mapping[str, Any], standing_start: str = ""
    ) -> None:
        smart_rules.check_group(campaign, body)
        timed = {"budget_mode": "", **body}
        rules.check_schedule(timed, self.clock(), standing_start=standing_start)
        if "budget_mode" in body:
            self._check_budget(advertiser, body.get("budget"), body["budget_mode"], 20, rules.days(body))

    def _create_smart_ad(self, advertiser: str, body: dict[str, Any]) -> Any:
        group = self._standing("adgroup", advertiser, body["adgroup_id"], smart=True)
        self._check_smart_ad(advertiser, body)
        kept = {**body, "campaign_id": group["campaign_id"]}
        return self._keep("ad", advertiser, body["adgroup_id"], body["ad_name"], kept, smart=True)

    def _check_smart_ad(self, advertiser: str, body: Mapping[str, Any]) -> None:
        smart_rules.check_ad(body)
        for index, each in enumerate(body["creative_list"]):
            info = each["creative_info"]
            images = [image["web_uri"] for image in info.get("image_info", [])]
            video = str(info.get("video_info", {}).get("video_id", ""))
            self._check_usable(advertiser, video, images, f"creative_list.{index}.")

    def _update_smart_campaign(self, advertiser: str, body: dict[str, Any]) -> Any:
        row = self._standing("campaign", advertiser, body["campaign_id"], smart=True)
        if "budget" in body:
            if not row["budget_optimize_on"]:
                raise wrong("budget: Not supported when budget_optimize_on is false.")
            self._check_budget(advertiser, body["budget"], row["budget_mode"], 50, 1, row.get("spend", 0))
        smart_rules.check_campaign({**row, **body})
        return self._change("campaign", row, body, "campaign_name")

    def _update_smart_adgroup(self, advertiser: str, body: dict[str, Any]) -> Any:
        """`targeting_spec` is replaced as a whole."""
        row = self._standing("adgroup", advertiser, body["adgroup_id"], smart=True)
        campaign = self._standing("campaign", advertiser, row["campaign_id"], smart=True)
        start = row["schedule_start_time"]
        if body.get("schedule_start_time", start) != start and rules.moment(start) < self.clock():
            raise wrong("schedule_start_time: Can't be changed once the ad group has started.")
        if "budget" in body and campaign["budget_optimize_on"]:
            raise wrong("budget: Can't be updated when budget_optimize_on is true.")
        gone = {"schedule_end_time": None} if body.get("schedule_type") == "SCHEDULE_FROM_NOW" else {}
        changes = {**gone, **body}
        merged = {name: value for name, value in {**row, **changes}.items() if value is not None}
        self._check_smart_adgroup(advertiser, campaign, merged, standing_start=start)
        return self._change("adgroup", row, changes, "adgroup_name")

    def _update_smart_ad(self, advertiser: str, body: dict[str, Any]) -> Any:
        row = self._standing("ad", advertiser, body["smart_plus_ad_id"], smart=True)
        self._check_smart_ad(advertiser, {**row, **body})
        changes = {name: value for name, value in body.items() if name != "smart_plus_ad_id"}
        return self._change("ad", row, changes, "ad_name")

    def _keep(
        self,
        kind: str,
        advertiser: str,
        parent: str,
        name: str,
        body: Mapping[str, Any],
        *,
        smart: bool = False,
    ) -> dict[str, Any]:
        """Store with TikTok's defaults for what was not sent: without a status, an object is on."""
        fault: Fault | None = getattr(self._striking, "fault", None)
        defaults = (smart_rules.DEFAULTS if smart else rules.DEFAULTS)[kind]
        record = {**defaults, **{k: v for k, v in body.items() if k != "request_id"}}
        if smart:
            record["_smart"] = True
        if fault and fault.kind == "ignore_status":
            record["operation_status"] = "ENABLE"
        if kind == "ad" and record["operation_status"] == "ENABLE":
            record["_review_from"] = self.clock()
        record["name"] = name  # as the store keeps it; not shown
        record["create_time"] = datetime.fromtimestamp(self.clock(), UTC).strftime(TIME)
        stored = self.store.add(
            kind, advertiser, parent, name, record, lambda n: str(rules.ID_BASE[kind] + n), self.clock()
        )
        return self._show(kind, {**stored, "_kind": kind, "_account": advertiser, "_created": self.clock()})

    def _standing(self, kind: str, advertiser: str, object_id: Any, smart: bool = False) -> dict[str, Any]:
        """An object of this form that is there and not deleted, nor what it hangs under."""
        row = self.store.get(kind, object_id) if isinstance(object_id, str) else None
        if row is None or row["_account"] != advertiser:
            raise wrong(f"{kind}_id: {kind} {object_id} doesn't exist.")
        if bool(row.get("_smart")) != smart:
            raise wrong(f"{kind}_id: {kind} {object_id} is not of the form that this endpoint supports.")
        if self._deleted(row):
            raise wrong(f"{kind}_id: {kind} {object_id} has been deleted and can't be changed.")
        return row

    def _deleted(self, row: Mapping[str, Any]) -> bool:
        if rules.switch_of(row) == "DELETE":
            return True
        above = self.store.get(PARENT[row["_kind"]], row["_parent"]) if row["_kind"] in PARENT else None
        return above is not None and self._deleted(above)

    def _live(self, kind: str, advertiser: str, parent: str) -> list[dict[str, Any]]:
        found = self.store.find(kind, advertiser, parent=parent)
        return [each for each in found if rules.switch_of(each) != "DELETE"]

    def _check_account(self, advertiser: str) -> None:
        status = self._account(advertiser).get("status", "STATUS_ENABLE")
        if status != "STATUS_ENABLE":
            raise Refused(40300, f"The advertiser's status is {status}: ads can't be created.")

    def _check_unique(
        self, kind: str, advertiser: str, parent: str, field: str, body: Mapping[str, Any]
    ) -> None:
        """A request id also says that a name may be used twice."""
        if body.get("request_id"):
            return
        same = self.store.find(kind, advertiser, parent=parent, name=body[field])
        if any(not self._deleted(each) for each in same):
            raise wrong(f"{field}: The name already exists. Please try another one.")

    def _check_siblings(self, advertiser: str, body: Mapping[str, Any]) -> None:
        for sibling in self._live("adgroup", advertiser, body["campaign_id"])[:1]:
            for field in ("optimization_goal", "bid_type", "optimization_event"):
                if sibling.get(field) != body.get(field):
                    raise wrong(
                        f"{field}: Must be the same for all ad groups when budget_optimize_on is true."
                    )

    def _check_budget(
        self, advertiser: str, budget: Any, mode: str, base: int, days: int, spend: Any = 0
    ) -> None:
        if budget is None or budget <= 0:
            raise wrong("budget: Must be greater than 0.")
        try:
            amount = Decimal(str(budget))
        except InvalidOperation:
            raise wrong("budget: Not a valid number.") from None
        if amount < Decimal(str(spend)) * Decimal("1.05"):
            raise wrong("budget: Must be at least 105% of the current spend.")
        currency = self._account(advertiser).get("currency", "")
        row = REFERENCE["currencies"].get(currency)
        if row is None:
            return
        if amount % Decimal(row["unit"]):
            raise wrong(f"budget: The precision of the currency is {row['unit']}.")
        least = base * Decimal(row["ratio"]) * (days if mode == "BUDGET_MODE_TOTAL" else 1)
        if amount < least:
            raise wrong(f"Your budget setting must not be less than {least} {currency}.")

    # --------------------------------------------------------------------------------------- update

    def _update(self, kind: str, smart: bool, body: dict[str, Any]) -> Any:
        form = "smart." if smart else ""
        rules.check_fields(f"{form}{rules.SCHEMAS[kind]}.update", body, rules.UPDATE_REQUIRED[form + kind])
        return getattr(self, f"_update_{'smart_' if smart else ''}{kind}")(rules.advertiser(body), body)

    def _update_campaign(self, advertiser: str, body: dict[str, Any]) -> Any:
        row = self._standing("campaign", advertiser, body["campaign_id"])
        if "budget" in body and row["budget_mode"] == "BUDGET_MODE_INFINITE":
            raise wrong("budget: Not supported when budget_mode is BUDGET_MODE_INFINITE.")
        merged = {**row, **body}
        self._check_campaign(advertiser, merged)
        if "budget" in body:
            self._check_budget(advertiser, body["budget"], row["budget_mode"], 50, 1, row.get("spend", 0))
        return self._change("campaign", row, body, "campaign_name")

    def _update_adgroup(self, advertiser: str, body: dict[str, Any]) -> Any:
        row = self._standing("adgroup", advertiser, body["adgroup_id"])
        campaign = self._standing("campaign", advertiser, row["campaign_id"])
        start = row["schedule_start_time"]
        if body.get("schedule_start_time", start) != start and rules.moment(start) < self.clock():
            raise wrong("schedule_start_time: Can't be changed once the ad group has started.")
        if campaign.get("budget_optimize_on", True):
            for field in ("budget", "bid_type"):
                if field in body:
                    raise wrong(f"{field}: Can't be updated when budget_optimize_on is true.")
        gone = {
            name: rules.DEFAULTS["adgroup"].get(name) for name in REPLACED if name in row and name not in body
        }
        if body.get("schedule_type") == "SCHEDULE_FROM_NOW":
            gone["schedule_end_time"] = None
        if body.get("bid_type") == "BID_TYPE_NO_BID":
            gone |= {name: None for name in ("bid_price", "conversion_bid_price") if name in row}
        changes = {**gone, **body}
        merged = {name: value for name, value in {**row, **changes}.items() if value is not None}
        self._check_adgroup(advertiser, campaign, merged, standing_start=start)
        if "budget" in body:
            days = rules.days(merged)
            self._check_budget(advertiser, body["budget"], row["budget_mode"], 20, days, row.get("spend", 0))
        return self._change("adgroup", row, changes, "adgroup_name")

    def _update_ad(self, advertiser: str, body: dict[str, Any]) -> Any:
        """Without `patch_update` what a creative does not say is gone."""
        group = self._standing("adgroup", advertiser, body["adgroup_id"])
        shown = []
        for index, creative in enumerate(body["creatives"]):
            at = f"creatives.{index}."
            row = self._standing("ad", advertiser, creative.get("ad_id"))
            if row["_parent"] != body["adgroup_id"]:
                raise wrong(f"{at}ad_id: The ad is not in the ad group.")
            fixed = (
                "id",
                "name",
                "adgroup_id",
                "campaign_id",
                "advertiser_id",
                "operation_status",
                "create_time",
            )
            own = {name: row[name] for name in row if name in fixed or name.startswith("_")}
            base = row if body.get("patch_update") else own
            merged = {**rules.DEFAULTS["ad"], **base, **creative}
            self._check_creative(advertiser, merged, group, at)
            gone = {name: None for name in row if name not in merged and not name.startswith("_")}
            changes = {**gone, **{name: merged[name] for name in merged if not name.startswith("_")}}
            changes["operation_status"] = rules.switch_of(row)
            shown.append(self._change("ad", row, changes, "ad_name"))
        return {"ad_ids": [each["ad_id"] for each in shown], "creatives": shown, "need_audit": True}

    def _change(self, kind: str, row: Mapping[str, Any], changes: Mapping[str, Any], name_field: str) -> Any:
        """Store it; another name must be free, and another creative is reviewed anew."""
        new = {k: v for k, v in changes.items() if k not in ("id", f"{kind}_id", "request_id")}
        name = new.get(name_field)
        if name and name != row.get(name_field):
            self._check_unique(kind, row["_account"], row["_parent"], name_field, new)
            new["name"] = name
        words = {k: v for k, v in new.items() if k not in ("name", name_field)}
        if kind == "ad" and any(row.get(k) != v for k, v in words.items()):
            new["_review_from"] = self.clock()
        self.store.update(kind, row["id"], new)
        return self._show(kind, self.store.get(kind, row["id"]) or {})

    # ------------------------------------------------------------------------------ status and look-up

    def _set_status(self, kind: str, smart: bool, body: dict[str, Any]) -> Any:
        ids_key = f"{_id_key(kind, smart)}s"
        known = {"advertiser_id", ids_key, "operation_status"} | (set() if smart else STATUS_FIELDS[kind])
        for field in body.keys() - known:
            raise wrong(f"{field}: Unknown field.")
        advertiser, ids = rules.advertiser(body), body.get(ids_key)
        if not isinstance(ids, list) or not 1 <= len(ids) <= 20:
            raise wrong(f"{ids_key}: Length must be between 1 and 20.")
        rules.one_of("operation_status", body.get("operation_status"), {"ENABLE", "DISABLE", "DELETE"})
        rows = [self._standing(kind, advertiser, each, smart) for each in ids]
        for row in rows:
            self._switch(row, body["operation_status"])
        return {ids_key: ids, "status": body["operation_status"]}

    def _switch(self, row: Mapping[str, Any], status: str) -> None:
        change: dict[str, Any] = {"operation_status": status}
        if row["_kind"] == "ad" and status == "ENABLE" and "_review_from" not in row:
            change["_review_from"] = self.clock()
        self.store.update(row["_kind"], row["id"], change)

    def _get(self, kind: str, smart: bool, query: Mapping[str, str]) -> Any:
        """The usual campaign door lists campaigns of both forms, the others their own form only."""
        advertiser = rules.advertiser(query)
        filtering = rules.json_parameter(query, "filtering", dict)
        for field in filtering.keys() - rules.FILTERS[("smart." if smart else "") + kind]:
            raise wrong(f"filtering.{field}: Unknown field.")
        fields = set(rules.json_parameter(query, "fields", list))
        both = kind == "campaign" and not smart
        rows = [
            each
            for each in self._candidates(kind, advertiser, filtering, f"{_id_key(kind, smart)}s")
            if (both or bool(each.get("_smart")) == smart) and self._matches(kind, each, filtering)
        ]
        page, info = _page(rows, query, 1000)
        shown = [self._show(kind, each) for each in page]
        if fields:
            shown = [{k: v for k, v in each.items() if k in fields} for each in shown]
        return {"list": shown, "page_info": info}

    def _candidates(
        self, kind: str, advertiser: str, filtering: Mapping[str, Any], ids_key: str
    ) -> list[dict[str, Any]]:
        """By id where ids are given, else all below one parent, else all of the advertiser."""
        ids = filtering.get(ids_key)
        if ids is not None:
            if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
                raise wrong(f"filtering.{ids_key}: Length must be between 1 and 100.")
            found = (self.store.get(kind, each) for each in ids)
            return [each for each in found if each and each["_account"] == advertiser]
        parents = filtering.get({"adgroup": "campaign_ids", "ad": "adgroup_ids"}.get(kind, ""))
        if parents:
            return [each for parent in parents for each in self.store.find(kind, advertiser, parent=parent)]
        return self.store.find(kind, advertiser)

    def _matches(self, kind: str, row: Mapping[str, Any], filtering: Mapping[str, Any]) -> bool:
        """Names are searched fuzzily, deleted objects are shown on demand only, and reads may lag."""
        name = filtering.get(f"{kind}_name", "")
        campaign = row["id"] if kind == "campaign" else row["campaign_id"]
        return (
            (filtering.get("primary_status") == "STATUS_ALL" or not self._deleted(row))
            and self.visible(row)
            and name.casefold() in row.get(f"{kind}_name", "").casefold()
            and campaign in filtering.get("campaign_ids", [campaign])
        )

    def _show(self, kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = rules.shown(_id_key(kind, bool(row.get("_smart"))), row)
        if (
            kind == "adgroup"
            and row.get("schedule_type") == "SCHEDULE_FROM_NOW"
            and "schedule_start_time" in row
        ):
            shown["schedule_end_time"] = rules.ten_years_after(row["schedule_start_time"])
        if kind == "adgroup" and row.get("placement_type") == "PLACEMENT_TYPE_AUTOMATIC":
            shown["placements"] = sorted(rules.LIST_ENUMS["placements"])
        return {**shown, "secondary_status": self._secondary_status(kind, row)}

    # -------------------------------------------------------------------------------------- statuses

    def _secondary_status(self, kind: str, row: Mapping[str, Any]) -> str:
        """The first reason why it is not shown, or that it is."""
        prefix = f"{kind.upper()}_STATUS_"
        if rules.switch_of(row) != "ENABLE":
            return prefix + rules.switch_of(row)
        if self._account(row["_account"]).get("status", "STATUS_ENABLE") != "STATUS_ENABLE":
            return "ADVERTISER_ACCOUNT_PUNISH"
        if kind == "campaign":
            return prefix + "ENABLE"
        reviewed = self._review(row) if kind == "ad" else ""
        return prefix + (reviewed or self._from_above(kind, row) or self._by_time(kind, row) or "DELIVERY_OK")

    def _from_above(self, kind: str, row: Mapping[str, Any]) -> str:
        for above, field in (("adgroup", "adgroup_id"), ("campaign", "campaign_id")):
            held = self.store.get(above, row[field]) if above != kind and row.get(field) else None
            if held and rules.switch_of(held) != "ENABLE":
                return f"{above.upper()}_{held['operation_status']}"
        return ""

    def _by_time(self, kind: str, row: Mapping[str, Any]) -> str:
        group: Mapping[str, Any] = (
            row if kind == "adgroup" else self.store.get("adgroup", row["adgroup_id"]) or {}
        )
        now = self.clock()
        if "schedule_start_time" in group and now < rules.moment(group["schedule_start_time"]):
            return "NOT_START"
        ended = group.get("schedule_type") == "SCHEDULE_START_END" and "schedule_end_time" in group
        return "DONE" if ended and rules.moment(group["schedule_end_time"]) < now else ""

    def _review(self, row: Mapping[str, Any]) -> str:
        """In review for a while after it was switched on or changed, then by its words."""
        since = row.get("_review_from")
        if since is None:
            return ""
        if self.clock() < since + self.review_s:
            return "AUDIT"
        return "AUDIT_DENY" if "REJECTME" in json.dumps(rules.shown("ad_id", row)) else ""

    def _review_info(self, query: Mapping[str, str], word: str) -> Any:
        advertiser, found = rules.advertiser(query), {}
        for ad_id in rules.ids(query, f"{word}_ids"):
            row = self.store.get("ad", ad_id)
            if row and row["_account"] == advertiser:
                found[ad_id] = self._reviewed(row)
        return {f"{word}_review_map": found}

    def _reviewed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if self._review(row) != "AUDIT_DENY":
            return {"is_approved": True, "review_status": "ALL_AVAILABLE", "reject_info": []}
        reason = {
            "reason": "The ad contains REJECTME.",
            "suggestion": "Take the word out.",
            "rejected_content": "AD_TEXT",
        }
        return {"is_approved": False, "review_status": "UNAVAILABLE", "reject_info": [reason]}

    # ---------------------------------------------------------------------------------------- library

    def _video_info(self, query: Mapping[str, str]) -> Any:
        advertiser, ids = rules.advertiser(query), rules.ids(query, "video_ids")
        if not 1 <= len(ids) <= 60:
            raise wrong("video_ids: Length must be between 1 and 60.")
        rows = [self.store.get("video", each) for each in ids]
        own = [each for each in rows if each and each["_account"] == advertiser]
        return {"list": [library.video_of(each, self._processed(each)) for each in own]}

    def _processed(self, row: Mapping[str, Any]) -> bool:
        return float(row["_created"]) + self.processing_s <= self.clock()

    def _search_library(self, word: str, query: Mapping[str, str]) -> Any:
        """Fuzzy by name, and late as all searches are."""
        advertiser = rules.advertiser(query)
        name = rules.json_parameter(query, "filtering", dict).get("video_name", "")
        rows = [each for each in self.store.find(word, advertiser) if self.visible(each)]
        fitting = [each for each in rows if name.casefold() in each["file_name"].casefold()]
        page, info = _page(fitting, query, 100)
        shown = [library.video_of(each, True) if word == "video" else library.image_of(each) for each in page]
        return {"list": shown, "page_info": info}

    # --------------------------------------------------------------------------------- account doors

    def _account(self, advertiser: str) -> dict[str, Any]:
        return self.store.get("account", advertiser) or {}

    def _advertiser_info(self, query: Mapping[str, str]) -> Any:
        """Every id is an advertiser in good standing; what nobody has told the sandbox it leaves out."""
        ids = rules.ids(query, "advertiser_ids")
        if not 1 <= len(ids) <= 100:
            raise wrong("advertiser_ids: Length must be between 1 and 100.")
        told = ("name", "status", "currency", "timezone", "balance", "role", "rejection_reason")
        rows = []
        for each in ids:
            account = self._account(each)
            known = {name: account[name] for name in told if name in account}
            if not account.get("unknown"):
                rows.append({"advertiser_id": each, "status": "STATUS_ENABLE", **known})
        return {"list": rows}

    def _identity_info(self, query: Mapping[str, str]) -> Any:
        account = self._account(rules.advertiser(query))
        identity, kind = query.get("identity_id", ""), query.get("identity_type", "")
        rules.one_of("identity_type", kind, rules.ENUMS["identity_type"])
        if not identity or identity not in account.get("identities", [identity]):
            raise wrong(f"identity_id: identity {identity} doesn't exist.")
        status = account.get("identity_status", "AVAILABLE")
        return {"identity_info": {"identity_id": identity, "identity_type": kind, "available_status": status}}

    def _pixels(self, query: Mapping[str, str]) -> Any:
        account, asked = self._account(rules.advertiser(query)), query.get("pixel_id", "")
        ids = account.get("pixels", [asked] if asked else [])
        pixels = [{"pixel_id": each, "pixel_name": f"Pixel {each}"} for each in ids if asked in ("", each)]
        page, info = _page(pixels, query, 20)
        return {"pixels": page, "page_info": info}


def _id_key(kind: str, smart: bool) -> str:
    return "smart_plus_ad_id" if smart and kind == "ad" else f"{kind}_id"


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise Refused(40400, f"Method {request.method} is not supported for {request.path}.")


def _page(rows: list[Any], query: Mapping[str, str], most: int) -> tuple[list[Any], dict[str, int]]:
    page, size = rules.number(query, "page", 1, 10**9), rules.number(query, "page_size", 10, most)
    info = {"page": page, "page_size": size, "total_number": len(rows), "total_page": -(-len(rows) // size)}
    return rows[(page - 1) * size : page * size], info
