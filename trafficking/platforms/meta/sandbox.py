"""The Graph API's ad objects played locally, strictly, with Meta's own error envelopes.

It knows nothing of how we build requests: rules are written here a second time (`sandbox_rules` says from what). Only
the lists of known fields and enums are read from the reference, which has them from Meta's SDK.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import jsonschema_rs

from trafficking.platforms.meta.sandbox_events import event_parameters, take_events
from trafficking.platforms.meta.sandbox_media import (
    multipart,
    not_processed,
    uploaded_image,
    uploaded_video,
    video_ids,
)
from trafficking.platforms.meta.sandbox_reads import (
    REJECTED_WORD,
    REJECTION,
    Asked,
    advantage_state,
    asked_fields,
    healthy,
    is_to_be_rejected,
    neighbour_kind,
    not_there,
)
from trafficking.platforms.meta.sandbox_requests import (
    VERSIONS,
    as_answered,
    as_stored,
    check_known,
    check_token,
    cursor,
    expired,
    list_of,
    matches,
    minutes,
    new_id,
    node_and_edge,
    offset,
    parameters,
    typed,
    whole,
)
from trafficking.platforms.meta.sandbox_rules import (
    Refusal,
    check_ad,
    check_ad_set,
    check_campaign,
    check_creative,
)
from trafficking.platforms.meta.sandbox_updates import (
    check_gone,
    check_immutable,
    cleared,
    count_budget_changes,
    merged,
    without_clearing,
)
from trafficking.platforms.sandbox_base import Request, Response, Sandbox

Json = dict[str, Any]

_EDGES = {"campaigns": "campaign", "adsets": "ad_set", "ads": "ad", "adcreatives": "creative"}
_CHILDREN = {("campaign", "adsets"): "ad_set", ("ad_set", "ads"): "ad"}
_GRANDCHILDREN = {("campaign", "ads"): "ad"}
_LIBRARY = {"adimages": "image", "advideos": "video"}
_KINDS = ("campaign", "ad_set", "ad", "creative", "video")
_GONE = ("ARCHIVED", "DELETED")

_SDK = json.loads(Path(__file__).with_name("reference.json").read_text())
_KNOWN = {kind: jsonschema_rs.validator_for(schema) for kind, schema in _SDK["sdk_operations"].items()}
_TYPES = {kind: schema["properties"] for kind, schema in _SDK["sdk_operations"].items()}
_UPDATE_KNOWN = {kind: jsonschema_rs.validator_for(schema) for kind, schema in _SDK["sdk_updates"].items()}
_UPDATE_TYPES = {kind: schema["properties"] for kind, schema in _SDK["sdk_updates"].items()}
#: What can be asked of each kind of object.
_FIELDS = {kind: frozenset(names) for kind, names in _SDK["sdk_fields"].items()}


class MetaSandbox(Sandbox):
    """Objects live in the store under the kinds campaign, ad_set, creative and ad. What stands there under account
    ("act_…"), page, instagram, pixel or permissions ("me") is answered as it stands; where nothing stands, any such id
    exists and is healthy. An ad whose text contains REJECTME is refused by its review. Uploaded images and videos stand
    under image and video; a video is processed for `processing_s`, and fails where its title contains REJECTME. Hashes
    and ids of other images and videos are taken for granted."""

    key = "meta"
    processing_s: float = 0.0

    # ------------------------------------------------------------------------------- dialect

    def account_of(self, request: Request) -> str:
        """The account in the path, or that of the object in it; "" for pages, pixels, users and nonsense."""
        node = request.path.strip("/").split("/")[1:2]
        if not node or node[0].startswith("act_"):
            return node[0] if node else ""
        found = self._by_id(node[0])
        return found["_account"] if found is not None else ""

    def respond(self, request: Request) -> Response:
        account = self.account_of(request)
        try:
            return self._json(200, self._answered(request), account)
        except Refusal as refusal:
            return self._json(refusal.status, {"error": refusal.error()}, account, refusal.wait_s)

    def throttled(self, request: Request, seconds: float) -> Response:
        error = Refusal(
            "(#80004) There have been too many calls to this ad-account. Wait a bit and try again.",
            code=80004,
            subcode=2446079,
            title="Ad Account Has Too Many API Calls",
        ).error()
        return Response.json(400, {"error": error}, self._headers(1.0, seconds))

    def unauthorised(self, request: Request) -> Response:
        return self._json(401, {"error": expired().error()}, self.account_of(request))

    def server_error(self, request: Request) -> Response:
        error = Refusal("An unexpected error has occurred. Please retry your request later.", code=2).error()
        return self._json(500, {"error": {**error, "is_transient": True}}, self.account_of(request))

    def _json(self, status: int, value: Any, account: str, wait_s: float = 0.0) -> Response:
        share = self.share_used(account) if account else 0.0
        return Response.json(status, value, self._headers(share, wait_s))

    def _headers(self, share: float, wait_s: float) -> dict[str, str]:
        """The three usage headers, which come with every answer, and the platform's clock."""
        percent = int(share * 100)
        call = {
            "type": "ads_management",
            "call_count": percent,
            "total_cputime": percent // 2,
            "total_time": percent // 2,
            "estimated_time_to_regain_access": minutes(wait_s),
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
            "facebook-api-version": VERSIONS[-1],
            "Date": formatdate(self.clock(), usegmt=True),
        }

    # --------------------------------------------------------------------------------- doors

    def _answered(self, request: Request) -> Json:
        if request.method == "POST" and request.path.endswith("/events"):
            return self._conversions(request)
        params = parameters(request)
        check_token(request, params)
        node, edge = node_and_edge(request.path)
        if request.method == "GET":
            return self._listed(node, edge, params) if edge else self._node(node, params)
        if request.method == "DELETE" and not edge:
            return self._switched(node, "DELETED")
        if request.method != "POST":
            raise Refusal("Unsupported method.", code=100)
        return self._created(node, edge, params, request) if edge else self._updated(node, params)

    def _conversions(self, request: Request) -> Json:
        params = event_parameters(request)
        check_token(request, params)
        dataset, _ = node_and_edge(request.path)
        if not dataset.isdigit():
            raise not_there(dataset)
        return take_events(dataset, params, self.conversions, self.clock())

    # -------------------------------------------------------------------------------- writes

    def _uploaded(self, account: str, edge: str, request: Request) -> Json:
        fields, file = multipart(request)
        if edge == "adimages":
            image = uploaded_image(account, file)
            if self.store.get("image", image["id"]) is None:
                self.store.add(
                    "image", account, "", image["name"], image, lambda _: image["id"], self.clock()
                )
            return {"images": {file.name: {key: image[key] for key in ("hash", "url", "name")}}}
        video = uploaded_video(fields, file)
        return {"id": self.store.add("video", account, "", video["title"], video, new_id, self.clock())["id"]}

    def _video_status(self, video: Json) -> str:
        if self.clock() < video["_created"] + self.processing_s:
            return "processing"
        return "error" if REJECTED_WORD in video["title"] else "ready"

    def _check_videos(self, creative: Json) -> None:
        """A video of ours must have been processed; ids that this store doesn't know are older than it."""
        for video_id in video_ids(creative.get("object_story_spec")):
            video = self.store.get("video", video_id)
            if video is not None and self._video_status(video) != "ready":
                raise not_processed(video_id)

    def _created(self, node: str, edge: str, params: Mapping[str, str], request: Request) -> Json:
        kind = _EDGES.get(edge)
        if edge in _LIBRARY and node.startswith("act_"):
            return self._uploaded(node, edge, request)
        if kind is None or not node.startswith("act_"):
            raise Refusal(f"Unknown path components: /{edge}", code=2500, kind="OAuthException")
        body = typed(kind, params, _TYPES)
        check_known(kind, body, _KNOWN)
        parent, extra = self._checked(kind, node, body)
        if "validate_only" in list_of(params, "execution_options"):
            return {"success": True}
        stored = {**as_stored(kind, body), **extra, "account_id": node.removeprefix("act_")}
        added = self.store.add(kind, node, parent, body["name"], stored, new_id, self.clock())
        return {"id": added["id"]}

    def _checked(self, kind: str, account: str, body: Json) -> tuple[str, Json]:
        """The parent's id, and what is stored beside the body; raises for what Meta refuses."""
        if kind == "campaign":
            check_campaign(body)
            return "", {}
        if kind == "creative":
            check_creative(body)
            self._check_videos(body)
            return "", {"status": "ACTIVE"}
        if kind == "ad_set":
            campaign = self._parent("campaign", account, body.get("campaign_id"), "campaign_id")
            check_ad_set(body, campaign)
            return campaign["id"], {}
        ad_set = self._parent("ad_set", account, body.get("adset_id"), "adset_id")
        self._parent("campaign", account, ad_set["campaign_id"], "adset_id")
        check_ad(body, ad_set, self._creative(account, body))
        since = {"_reviewed_from": self.clock()} if body.get("status", "ACTIVE") == "ACTIVE" else {}
        return ad_set["id"], {"campaign_id": ad_set["campaign_id"], **since}

    def _creative(self, account: str, body: Json) -> Json:
        wanted = body.get("creative")
        wanted = wanted if isinstance(wanted, dict) else {}
        return self._parent("creative", account, wanted.get("creative_id"), "creative")

    def _parent(self, kind: str, account: str, object_id: Any, field: str) -> Json:
        found = self.store.get(kind, str(object_id or ""))
        if found is None or found["_account"] != account or found.get("status") in _GONE:
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
        if kind not in _UPDATE_TYPES:
            raise Refusal("Unsupported post request.", kind="GraphMethodException", subcode=33)
        body = typed(kind, params, _UPDATE_TYPES)
        check_known(kind, without_clearing(body), _UPDATE_KNOWN)
        changes = self._checked_changes(found, body)
        if "validate_only" in list_of(params, "execution_options"):
            return {"success": True}
        self.store.update(kind, node, {k: as_answered(k, v) for k, v in changes.items()})
        if kind == "campaign" and body.get("bid_strategy") == "LOWEST_COST_WITHOUT_CAP":
            self._drop_bids(node, found["_account"])
        return {"success": True}

    def _checked_changes(self, found: Json, body: Json) -> Json:
        """What to store; raises for what Meta refuses to change."""
        kind, now = found["_kind"], self.clock()
        check_gone(found, body)
        check_immutable(kind, found, body, now)
        changes = cleared(body, found)
        whole = merged(found, changes)
        if kind == "campaign":
            check_campaign(whole)
        if kind == "ad_set":
            check_ad_set(whole, self._stored_parent("campaign", found["campaign_id"]))
            changes |= count_budget_changes(found, body, now)
        if kind == "ad":
            check_ad(
                whole,
                self._stored_parent("ad_set", found["adset_id"]),
                self._creative(found["_account"], whole),
            )
        if kind == "ad" and (
            "creative" in body or (body.get("status") == "ACTIVE" and "_reviewed_from" not in found)
        ):
            changes["_reviewed_from"] = now
        return changes

    def _stored_parent(self, kind: str, object_id: str) -> Json:
        parent = self.store.get(kind, object_id)
        if parent is None:
            raise Refusal("(#100) The parent of this object does not exist")
        return merged(parent, {})

    def _drop_bids(self, campaign_id: str, account: str) -> None:
        for ad_set in self.store.find("ad_set", account, parent=campaign_id):
            self.store.update("ad_set", ad_set["id"], {"bid_amount": None, "bid_constraints": None})

    def _switched(self, node: str, status: str) -> Json:
        self.store.update(self._existing(node)["_kind"], node, {"status": status})
        return {"success": True}

    # --------------------------------------------------------------------------------- reads

    def _by_id(self, node: str) -> Json | None:
        found = (self.store.get(kind, node) for kind in _KINDS)
        return next((each for each in found if each is not None), None)

    def _existing(self, node: str) -> Json:
        found = self._by_id(node)
        if found is None:
            raise not_there(node)
        return found

    def _node(self, node: str, params: Mapping[str, str]) -> Json:
        if node.startswith("act_"):
            account = self.store.get("account", node) or {**healthy("account", node), "_kind": "account"}
            return self._shown(account, params)
        found = self._by_id(node) or self._neighbour(node, params)
        if found is None:
            raise not_there(node)
        return self._shown(found, params)

    def _neighbour(self, node: str, params: Mapping[str, str]) -> Json | None:
        """A page, Instagram account or pixel: told apart by what is asked of it, for any digits may be one."""
        kind = neighbour_kind([name for name, _ in asked_fields(params.get("fields", ""))])
        if kind is None or not node.isdigit():
            return None
        return self.store.get(kind, node) or {**healthy(kind, node), "_kind": kind}

    def _listed(self, node: str, edge: str, params: Mapping[str, str]) -> Json:
        if (node, edge) == ("me", "permissions"):
            return {"data": (self.store.get("permissions", "me") or healthy("permissions", "me"))["data"]}
        rows = [row for row in self._rows(node, edge) if self._in_lists(row) and self._matches(row, params)]
        limit = max(1, min(500, whole(params.get("limit"), 25)))
        start = offset(params.get("after"))
        page = rows[start : start + limit]
        answer: Json = {"data": [self._shown(row, params) for row in page]}
        if page:
            after = cursor(start + len(page))
            answer["paging"] = {"cursors": {"before": cursor(start), "after": after}}
            if start + limit < len(rows):
                answer["paging"]["next"] = (
                    f"https://graph.facebook.com/{VERSIONS[-1]}/{node}/{edge}?after={after}"
                )
        return answer

    def _rows(self, node: str, edge: str) -> list[Json]:
        if node.startswith("act_") and edge in {**_EDGES, **_LIBRARY}:
            return self.store.find({**_EDGES, **_LIBRARY}[edge], node)
        parent = self._existing(node)
        way = (parent["_kind"], edge)
        if way in _CHILDREN:
            return self.store.find(_CHILDREN[way], parent["_account"], parent=node)
        if way in _GRANDCHILDREN:
            rows = self.store.find(_GRANDCHILDREN[way], parent["_account"])
            return [row for row in rows if row.get("campaign_id") == node]
        raise Refusal(f"(#100) Tried accessing nonexisting field ({edge})", kind="OAuthException")

    def _in_lists(self, row: Json) -> bool:
        """Archived and deleted objects, and what hangs under them, are in lists only when they are asked for."""
        return self._effective(row, row.get("status", "ACTIVE")) not in _GONE and self.visible(row)

    def _matches(self, row: Json, params: Mapping[str, str]) -> bool:
        statuses = list_of(params, "effective_status")
        hashes, title = list_of(params, "hashes"), params.get("title")
        if (hashes and row.get("hash") not in hashes) or (title is not None and row.get("title") != title):
            return False
        full = {**row, "effective_status": self._effective(row, row.get("status", "ACTIVE"))}
        return (not statuses or full["effective_status"] in statuses) and matches(full, params)

    def _shown(self, row: Json, params: Mapping[str, str]) -> Json:
        """The asked fields that have a value; unknown ones are refused, as Meta does."""
        return self._pick(row, asked_fields(params.get("fields", "id")))

    def _pick(self, row: Json, wanted: Asked) -> Json:
        kind = row["_kind"]
        full = self._full(row)
        shown: Json = {"id": full["id"]} if "id" in full else {}
        for name, inner in wanted:
            if name not in _FIELDS[kind]:
                raise Refusal(f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")
            if name == "creative" and kind == "ad":
                creative = self.store.get(
                    "creative", str((full.get("creative") or {}).get("creative_id", ""))
                )
                if creative is not None:
                    shown[name] = self._pick(creative, inner)
            elif name in full:
                shown[name] = full[name]
        return shown

    def _full(self, row: Json) -> Json:
        public = {key: value for key, value in row.items() if not key.startswith("_")}
        if row["_kind"] == "video":
            return {**public, "status": {"video_status": self._video_status(row)}}
        if row["_kind"] not in ("campaign", "ad_set", "ad"):
            return public
        moment = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(row["_created"]))
        status = public.get("status", "ACTIVE")
        seen = self._effective(row, status)
        rejected = {"ad_review_feedback": {"global": dict([REJECTION])}} if seen == "DISAPPROVED" else {}
        automated = {"advantage_state_info": self._advantage(row)} if row["_kind"] == "campaign" else {}
        return {
            **public,
            **rejected,
            **automated,
            "configured_status": status,
            "effective_status": seen,
            "created_time": moment,
            "updated_time": moment,
        }

    def _advantage(self, campaign: Json) -> Json:
        ad_sets = self.store.find("ad_set", campaign["_account"], parent=campaign["id"])
        return advantage_state(campaign, [each for each in ad_sets if each.get("status") not in _GONE])

    def _effective(self, row: Json, status: str) -> str:
        """What is over an object shows through it; an ad that is switched on is reviewed before it runs."""
        parents = [
            (self.store.get(kind, str(row[field])), word)
            for kind, field, word in (
                ("campaign", "campaign_id", "CAMPAIGN_PAUSED"),
                ("ad_set", "adset_id", "ADSET_PAUSED"),
            )
            if row.get(field)
        ]
        for parent, _word in parents:
            if status not in _GONE and parent is not None and parent.get("status") in _GONE:
                return str(parent["status"])
        if status != "ACTIVE":
            return status
        for parent, word in reversed(parents):
            if parent is not None and parent.get("status") == "PAUSED":
                return word
        return self._reviewed(row) if row["_kind"] == "ad" else "ACTIVE"

    def _reviewed(self, ad: Json) -> str:
        since = float(ad.get("_reviewed_from") or ad["_created"])
        if self.clock() < since + self.review_s:
            return "PENDING_REVIEW"
        creative = self.store.get("creative", str((ad.get("creative") or {}).get("creative_id", "")))
        return "DISAPPROVED" if is_to_be_rejected(creative or {}) else "ACTIVE"
