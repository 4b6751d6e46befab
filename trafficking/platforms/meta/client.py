"""Calls to the Graph API: one HTTP call for what is written, few for what is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from governance.findings import Finding
from trafficking.platforms.base import (
    Applied,
    InDoubt,
    Live,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    PlannedObject,
    ReadBack,
    Rejected,
    RetryLater,
    RunStatus,
    Unread,
    stand_in,
)  # fmt: skip
from trafficking.platforms.meta import live, preflight
from trafficking.platforms.meta.fields import fields_of
from trafficking.platforms.meta.graph import GraphClient, form
from trafficking.platforms.meta.live import is_gone, run_status
from trafficking.platforms.meta.reference import API_VERSION
from trafficking.platforms.meta.uploads import Multipart

_PAGE_OF_ADS = 100  # each comes with its creative: larger pages make Meta ask for less data
_PIECE = 1024 * 1024  # bytes of a file at a time
_VIDEO_PAUSE_S = 10.0  # between two looks at a video that is being processed

#: Edge under which an object is looked up, and the body field that names its parent; the account else.
_EDGES = {
    "campaign": ("campaigns", ""),
    "ad_set": ("adsets", "campaign_id"),
    "creative": ("adcreatives", ""),
    "ad": ("ads", "adset_id"),
}
#: What reads ask for; all are fields of the SDK's classes.
_CREATIVE_FIELDS = "id,name,object_story_spec,url_tags,authorization_category,contextual_multi_ads"
FIELDS = {
    "campaign": (
        "id,name,status,effective_status,objective,buying_type,bid_strategy,daily_budget,lifetime_budget,"
        "spend_cap,special_ad_categories,special_ad_category_country,is_adset_budget_sharing_enabled,"
        "is_skadnetwork_attribution,pacing_type,advantage_state_info,created_time,updated_time"
    ),
    "ad_set": (
        "id,name,status,effective_status,campaign_id,optimization_goal,billing_event,bid_strategy,bid_amount,"
        "bid_constraints,daily_budget,lifetime_budget,daily_min_spend_target,daily_spend_cap,"
        "lifetime_min_spend_target,lifetime_spend_cap,start_time,end_time,adset_schedule,pacing_type,"
        "frequency_control_specs,promoted_object,destination_type,targeting,attribution_spec,dsa_beneficiary,"
        "dsa_payor,created_time,updated_time"
    ),
    "creative": f"{_CREATIVE_FIELDS},status",
    "ad": (
        "id,name,status,effective_status,adset_id,campaign_id,conversion_domain,ad_review_feedback,issues_info,"
        f"created_time,updated_time,creative{{{_CREATIVE_FIELDS}}}"
    ),
}
#: A campaign that is switched on has one of these effective statuses.
_RUNNING = ["ACTIVE", "IN_PROCESS", "WITH_ISSUES"]


class MetaClient(GraphClient):
    """See `Client`."""

    # -------------------------------------------------------------------------------- writes

    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        body = operation.bound_body(external_ids)
        if operation.action == "upload":
            return self._upload(operation, body)
        if operation.action == "await":
            return self._awaited(operation, str(body["video_id"]))
        answer = self._call(operation.method, operation.path, data=form(body), body=operation.body)
        if not isinstance(answer, Applied):
            return answer
        return _changed(operation, answer) if operation.action != "create" else _created(operation, answer)

    def validate(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome | None:
        """Meta's `execution_options=["validate_only"]`, where all that the body names is there already."""
        if operation.action not in ("create", "update") or set(operation.parents) - set(external_ids):
            return None
        body = {**operation.bound_body(external_ids), "execution_options": ["validate_only"]}
        return self._call(operation.method, operation.path, data=form(body), body=operation.body)

    def set_status(self, object_type: str, external_id: str, status: RunStatus) -> Outcome:
        if object_type not in ("campaign", "ad_set", "ad"):
            return Rejected("no_status", f"a {object_type} has no status of its own")
        answer = self._call("POST", _object_path(external_id), data=form({"status": status}))
        if isinstance(answer, Applied) and answer.response.get("success") is not True:
            return InDoubt("an answer without success", answer.response, answer.http_status)
        return answer

    # ---------------------------------------------------------------------------------- media

    def _upload(self, operation: Operation, body: Mapping[str, Any]) -> Outcome:
        """Images as Meta's `filename`, videos as its `source`."""
        file = self._opened(body["sha256"])
        if isinstance(file, Rejected):
            return file
        with file:
            is_video = "title" in body
            fields = {"title": body["title"], **self._proof} if is_video else dict(self._proof)
            sent = Multipart(
                fields, "source" if is_video else "filename", body["filename"], body["content_type"], file
            )
            answer = self._call(operation.method, operation.path, upload=sent, body=operation.body)
        if not isinstance(answer, Applied):
            return answer
        if is_video:
            return _created(operation, answer)
        return _hashed(operation, answer)

    def _opened(self, sha256: str) -> BinaryIO | Rejected:
        if self.connection.open_file is None:
            return Rejected("file_gone", "no files are at hand")
        try:
            return self.connection.open_file(sha256)
        except LookupError as error:
            return Rejected("file_gone", str(error))

    def _awaited(self, operation: Operation, video_id: str) -> Outcome:
        answer = self._call("GET", _object_path(video_id), params={"fields": "id,status"})
        if not isinstance(answer, Applied):
            return answer
        told = answer.response.get("status")
        state = told if isinstance(told, Mapping) else {}
        said = str(state.get("video_status") or "")
        if said == "ready":
            return Applied({each.ref: video_id for each in operation.objects}, answer.response)
        if said == "error":
            return Rejected("video_failed", _video_error(state), response=answer.response)
        return RetryLater(f"the video is {said or 'being processed'}", _VIDEO_PAUSE_S, answer.response)

    def _find_upload(self, operation: Operation) -> Applied | NotFound | Unread:
        """Videos by their title, which holds the content's hash; images by Meta's hash, the MD5 of the bytes.

        (That it is the MD5 is from practice. Were it not, the image would be sent again and answered as the same.)
        """
        body = operation.body
        if "title" in body:
            rows = self._all(operation.path, "id,title", title=body["title"])
            return _in_library(operation, rows, "title", body["title"], "id")
        digest = self._md5(body["sha256"])
        if digest is None:
            return NotFound()
        rows = self._all(operation.path, "hash,name", hashes=json.dumps([digest]))
        return _in_library(operation, rows, "hash", digest, "hash")

    def _md5(self, sha256: str) -> str | None:
        """MD5 of a file of ours in hex; None where it is gone."""
        file = self._opened(sha256)
        if isinstance(file, Rejected):
            return None
        digest = hashlib.md5(usedforsecurity=False)
        with file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    # ---------------------------------------------------------------------------------- reads

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """Creates by exact name under the parent, leaving out objects that are known already; changes by reading."""
        if operation.action == "await":
            return NotFound()
        if operation.action == "upload":
            return self._find_upload(operation)
        if operation.action != "create":
            return self._find_change(operation, external_ids)
        name = operation.objects[0].name
        matches = self._matching(operation, external_ids, name)
        if not isinstance(matches, list):
            return matches
        known = set(external_ids.values())
        ours = [each for each in matches if each not in known]
        if not ours:
            return NotFound()
        if len(ours) > 1 and operation.object_type != "creative":
            return InDoubt(f"several objects are called {name!r}: {', '.join(ours)}", ambiguous=True)
        return Applied({each.ref: ours[-1] for each in operation.objects})

    def _find_change(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        for each in operation.objects:
            seen = self.read(each.type, each.external_id)
            if not isinstance(seen, ReadBack):
                return seen
            if not _agrees(each, seen.raw, external_ids):
                return NotFound()
        return Applied({each.ref: each.external_id for each in operation.objects})

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        answer = self._get(_object_path(external_id), FIELDS[object_type])
        if not isinstance(answer, Applied):
            return answer
        return _read_back(object_type, answer.response)

    def read_tree(self, campaign_id: str) -> tuple[Live, ...] | NotFound | Unread:
        """Three lists, and one call more for each further page."""
        answer = self._get(_object_path(campaign_id), FIELDS["campaign"])
        if not isinstance(answer, Applied):
            return answer
        if is_gone(answer.response):
            return NotFound()
        ad_sets = self._all(f"{_object_path(campaign_id)}/adsets", FIELDS["ad_set"])
        if not isinstance(ad_sets, list):
            return ad_sets
        ads = self._all(f"{_object_path(campaign_id)}/ads", FIELDS["ad"], page=_PAGE_OF_ADS)
        if not isinstance(ads, list):
            return ads
        return tuple(self._tree(answer.response, ad_sets, ads))

    def _tree(self, campaign: Any, ad_sets: list[Any], ads: list[Any]) -> Iterator[Live]:
        yield live.live("campaign", campaign, self._now, {})
        by_id = {str(each.get("id")): each for each in ad_sets if not is_gone(each)}
        creatives: set[str] = set()
        for each in by_id.values():
            yield live.live("ad_set", each, self._now, {})
        for ad in ads:
            ad_set = by_id.get(str(ad.get("adset_id")))
            if ad_set is None or is_gone(ad):
                continue
            shown = ad.get("creative")
            if isinstance(shown, Mapping) and shown.get("id") and str(shown["id"]) not in creatives:
                creatives.add(str(shown["id"]))
                yield live.creative(shown, str(ad.get("adset_id")))
            yield live.live("ad", ad, self._now, ad_set)

    def list_campaigns(self, *, active_only: bool = False) -> tuple[Live, ...] | Unread:
        path = self._account_path("campaigns")
        if active_only:
            found = self._all(path, FIELDS["campaign"], effective_status=json.dumps(_RUNNING))
        else:
            found = self._all(path, FIELDS["campaign"])
        if not isinstance(found, list):
            return found
        seen = tuple(live.live("campaign", each, self._now, {}) for each in found if not is_gone(each))
        return tuple(each for each in seen if each.status == "ACTIVE" or not active_only)

    def preflight(self) -> tuple[Finding, ...] | Unread:
        """Account, token, page, Instagram account and pixel: one call for each that the account names."""
        account = self.connection.account
        seen: dict[str, Mapping[str, Any] | None] = {}
        for what, path, fields in preflight.questions(account):
            answer = self._get(path, fields)
            if isinstance(answer, NotFound):
                seen[what] = None
            elif isinstance(answer, Applied):
                seen[what] = answer.response
            elif isinstance(answer, NeedsAuth) and preflight.is_permission(answer):
                seen[what] = None
            else:
                return answer
        return preflight.findings(account, seen)

    def _account_path(self, edge: str) -> str:
        return f"/{API_VERSION}/act_{self.connection.account.external_id.removeprefix('act_')}/{edge}"

    def _list_path(self, operation: Operation, external_ids: Mapping[str, str]) -> str:
        edge, parent_field = _EDGES[operation.object_type]
        if not parent_field:
            return operation.path
        parent = external_ids[operation.bindings[f"/{parent_field}"]]
        return f"{_object_path(parent)}/{edge}"

    def _matching(
        self, operation: Operation, external_ids: Mapping[str, str], name: str
    ) -> list[str] | Unread:
        """Ids of all objects under the parent with exactly this name; of creatives those of the same content, too.

        Meta's own filter saves pages; the name is compared here all the same, to the letter. The edge of creatives
        has no filter, and an ad's earlier creatives have the ad's name: of two that say the same, either will do.
        """
        path = self._list_path(operation, external_ids)
        if operation.object_type != "creative":
            only = json.dumps([{"field": "name", "operator": "EQUAL", "value": name}])
            rows = self._all(path, "id,name", filtering=only)
            return (
                [str(each["id"]) for each in rows if each.get("name") == name]
                if isinstance(rows, list)
                else rows
            )
        rows = self._all(path, _CREATIVE_FIELDS, page=_PAGE_OF_ADS)
        if not isinstance(rows, list):
            return rows
        wanted = fields_of("creative", operation.bound_body(external_ids))
        named = [each for each in rows if each.get("name") == name]
        return [str(each["id"]) for each in named if fields_of("creative", each) == wanted]


def _object_path(external_id: str) -> str:
    return f"/{API_VERSION}/{quote(external_id, safe='')}"


def _hashed(operation: Operation, answer: Applied) -> Applied | InDoubt:
    """`{"images": {"<file name>": {"hash": …}}}`"""
    images = answer.response.get("images")
    rows = images.values() if isinstance(images, Mapping) else ()
    made = [each.get("hash") for each in rows if isinstance(each, Mapping)]
    if len(made) != 1 or not made[0]:
        return InDoubt("an answer without an image hash", answer.response, answer.http_status)
    return Applied(
        {each.ref: str(made[0]) for each in operation.objects}, answer.response, answer.http_status
    )


def _in_library(
    operation: Operation, rows: list[Any] | Unread, key: str, value: str, id_key: str
) -> Applied | NotFound | Unread:
    """The first of the answered images or videos that is the very one."""
    if not isinstance(rows, list):
        return rows
    found = [str(each[id_key]) for each in rows if each.get(key) == value]
    return Applied({each.ref: found[0] for each in operation.objects}) if found else NotFound()


def _video_error(state: Mapping[str, Any]) -> str:
    phases = (state.get("processing_phase"), state.get("uploading_phase"))
    errors = [each.get("error") or each.get("errors") for each in phases if isinstance(each, Mapping)]
    return next((str(each) for each in errors if each), "Meta could not process the video")


def _created(operation: Operation, answer: Applied) -> Applied | InDoubt:
    made = answer.response.get("id")
    if not made:
        return InDoubt("an answer without an id", answer.response, answer.http_status)
    return Applied({each.ref: str(made) for each in operation.objects}, answer.response, answer.http_status)


def _changed(operation: Operation, answer: Applied) -> Applied | InDoubt:
    if answer.response.get("success") is not True:
        return InDoubt("an answer without success", answer.response, answer.http_status)
    ids = {each.ref: each.external_id for each in operation.objects}
    return Applied(ids, answer.response, answer.http_status)


def _agrees(planned: PlannedObject, raw: Mapping[str, Any], external_ids: Mapping[str, str]) -> bool:
    """Whether an object is as the change was to leave it; stand-ins are the ids that have been brought since."""
    ids = {stand_in(ref): external_id for ref, external_id in external_ids.items()}
    seen = {**fields_of(planned.type, raw), "status": run_status(raw.get("status"))}
    return all(seen.get(name) == _bound(value, ids) for name, value in planned.expect.items())


def _bound(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, Mapping):
        return {name: _bound(inner, ids) for name, inner in value.items()}
    return [_bound(inner, ids) for inner in value] if isinstance(value, list) else value


def _read_back(object_type: str, raw: Mapping[str, Any]) -> ReadBack:
    paused = None if object_type == "creative" else raw.get("status") != "ACTIVE"
    return ReadBack(str(raw.get("id", "")), raw.get("name"), paused, raw)
