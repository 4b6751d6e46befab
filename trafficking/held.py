"""What platforms hold for us: reads as frozen values, and the facts that deployments and reads bring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Case, CharField, QuerySet, Value, When
from django.utils import timezone

from campaigns.models import CampaignChannel
from governance.governed import write_many
from trafficking.media import library
from trafficking.models import Ad, AdSet, PlatformObject, Ticket
from trafficking.platforms import base
from trafficking.platforms.changes import expecting_file_ids, with_file_ids
from trafficking.platforms.registry import platform

#: Objects that have a life of their own on a platform; criteria and assets are told by their parents.
HELD_TYPES = frozenset({"campaign", "budget", "ad_set", "creative", "ad", "media"})
ARCHIVED = "ARCHIVED"


def rows_of(ticket: Ticket) -> QuerySet[PlatformObject]:
    """The objects of the ticket's campaign on its channel in its account that are not archived."""
    return ticket.tree_objects().exclude(status=ARCHIVED)


def held_of(ticket: Ticket) -> list[base.Held]:
    """They as frozen values, in the order in which they were built."""
    return [held_value(row) for row in rows_of(ticket).order_by("id")]


def held_value(row: PlatformObject) -> base.Held:
    return base.Held(
        ref=row.ref,
        type=row.object_type,
        external_id=row.external_id,
        name=row.name,
        intent=row.intent,
        parent=row.parent,
        status=row.status,
        applied=row.applied,
        live=row.live,
        held_back=row.held_back,
        adopted=row.adopted,
    )


#: (ad account, refs) -> ids by ref of files in the account's library; the deploy floor hangs its own in here.
uploaded_ids: Callable[[int, Iterable[str]], Mapping[str, str]] = lambda _account_id, _refs: {}  # noqa: E731


def files_of(ticket: Ticket) -> list[base.Held]:
    """Files that the tree was built with, by the platform's ids: an update neither uploads nor changes them."""
    if ticket.base_id is None or ticket.request_type not in Ticket.CONTENT:
        return []
    hashes = library.hashes_in(Ad.objects.filter(ad_set__ticket=ticket.base_id))
    refs = [base.File(sha256, "", "", 0, 0, 0).ref for sha256 in sorted(hashes)]
    known = uploaded_ids(ticket.ad_account_id, refs) if refs else {}
    return [base.Held(ref, "media", known[ref], "", "", "", "", {}) for ref in refs if ref in known]


def campaign_id_of(ticket: Ticket) -> str:
    """The platform's id of the campaign; "" where it is not built."""
    return rows_of(ticket).filter(object_type="campaign").values_list("external_id", flat=True).first() or ""


# ---------------------------------------------------------------------------------- the live state


def live_digests(held: Iterable[base.Held]) -> dict[str, str]:
    """A short digest of each object's live state by ref: what an approval rests on."""
    return {each.ref: _digest(each.external_id, each.status, each.live) for each in held}


def digests_of_lives(held: Iterable[base.Held], lives: Iterable[base.Live]) -> dict[str, str]:
    """The same, of what has just been read; an object that is gone has none."""
    found = {(each.type, each.external_id): each for each in lives}
    digests = {}
    for each in held:
        live = found.get((each.type, each.external_id))
        if live is not None:
            digests[each.ref] = _digest(live.external_id, live.status, dict(live.fields))
    return digests


def _digest(external_id: str, status: str, live: Mapping[str, Any] | None) -> str:
    text = json.dumps([external_id, status, live], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def record_live(ticket: Ticket, lives: Sequence[base.Live]) -> None:
    """Write what was read of the ticket's tree. An object that is no longer there reads as archived, with its last fields."""
    found = {(each.type, each.external_id): each for each in lives}
    now = timezone.now()
    rows = list(ticket.tree_objects())
    living = {row.ref for row in rows if row.status != ARCHIVED}
    for row in rows:
        live = found.get((row.object_type, row.external_id))
        if row.status == ARCHIVED and (live is None or row.ref in living):
            continue  # gone for good, or followed by another; one that is seen again was hidden by a lagging list
        values = _gone(row) if live is None else _seen(row, live)
        if any(getattr(row, name) != value for name, value in values.items()):
            PlatformObject.objects.filter(pk=row.pk).update(live_at=now, **values)
    rows_of(ticket).update(live_at=now)


def _seen(row: PlatformObject, live: base.Live) -> dict[str, Any]:
    return {
        "live": dict(live.fields),
        "status": live.status,
        "ever_active": row.ever_active or live.status == "ACTIVE",
        "review": live.review,
        "review_reasons": list(live.review_reasons),
        "delivery": live.delivery,
    }


def _gone(row: PlatformObject) -> dict[str, Any]:
    return (
        {"status": ARCHIVED, "delivery": "ENDED"} if row.object_type in ("campaign", "ad_set", "ad") else {}
    )


# ------------------------------------------------------------------------- what deployments have done


def record_done(
    *, ticket: Ticket, api_version: str, done: Sequence[tuple[base.Operation, Mapping[str, str]]]
) -> None:
    """Write what operations have done, each paired with its external ids by ref; writing it twice changes nothing."""
    files = {ref: known for _operation, ids in done for ref, known in ids.items()}
    files |= {row.ref: row.external_id for row in rows_of(ticket).filter(object_type="media")}
    _record_created(ticket, api_version, done, files)
    for operation, _ids in done:
        if operation.action in ("update", "pause", "activate", "archive"):
            _record_changed(ticket, expecting_file_ids(operation, files))
    _record_switches(ticket, done)


def _record_created(
    ticket: Ticket, api_version: str, done: Sequence[tuple[base.Operation, Mapping[str, str]]],
    files: Mapping[str, str],
) -> None:  # fmt: skip
    """New objects as rows, replaced ones with their new id; ids on the rows that people look at."""
    wanted = {
        each.ref: replace(each, fields=with_file_ids(each.fields, files))
        for each in platform(ticket.ad_account.platform).wanted([op for op, _ids in done])
    }
    known = {row.ref: row for row in rows_of(ticket)}
    fresh, ids = [], {}
    for operation, external_ids in done:
        if operation.action == "await":
            continue  # it brings nothing: what it waited for is the upload's
        for each in operation.objects:
            if each.type not in HELD_TYPES or each.external_id or each.ref not in external_ids:
                continue
            ids[(each.type, each.intent)] = external_ids[each.ref]
            row = known.get(each.ref)
            if row is None:
                fresh.append(_row(ticket, api_version, each, external_ids[each.ref], wanted.get(each.ref)))
            elif row.external_id != external_ids[each.ref]:
                _renew(row, each, external_ids[each.ref], wanted.get(each.ref))
    write_many(fresh)
    _write_back(ticket, ids)


def _row(
    ticket: Ticket,
    api_version: str,
    planned: base.PlannedObject,
    external_id: str,
    wanted: base.Wanted | None,
) -> PlatformObject:
    return PlatformObject(
        ad_account_id=ticket.ad_account_id,
        ticket=ticket,
        tree=tree_of(ticket),
        ref=planned.ref,
        parent=wanted.parent if wanted else "",
        object_type=planned.type,
        external_id=external_id,
        name=planned.name,
        intent=planned.intent,
        api_version=api_version,
        applied=dict(wanted.fields) if wanted else {},
        status="PAUSED" if planned.type in ("campaign", "ad_set", "ad") else "",
        applied_status="PAUSED" if planned.type in ("campaign", "ad_set", "ad") else "",
    )


def _renew(
    row: PlatformObject, planned: base.PlannedObject, external_id: str, wanted: base.Wanted | None
) -> None:
    """A new object in the place of another that can't be changed (a creative)."""
    switched = planned.type in ("campaign", "ad_set", "ad")
    PlatformObject.objects.filter(pk=row.pk).update(
        external_id=external_id, name=planned.name, applied=dict(wanted.fields) if wanted else {}, live=None,
        settled=None, applied_status="PAUSED" if switched else "",
    )  # fmt: skip


def tree_of(ticket: Ticket) -> CampaignChannel:
    return CampaignChannel.objects.get(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)


def _record_changed(ticket: Ticket, operation: base.Operation) -> None:
    for each in operation.objects:
        if not each.external_id:
            continue
        rows = rows_of(ticket).filter(object_type=each.type, external_id=each.external_id)
        fields = {name: value for name, value in each.expect.items() if name != "status"}
        for row in rows:
            values: dict[str, Any] = {
                "applied": {**row.applied, **fields},
                "name": fields.get("name") or row.name,
                "settled": None,
            }
            if status := each.expect.get("status"):
                values |= {"status": status, "ever_active": row.ever_active or status == "ACTIVE"}
                values["applied_status"] = status
            PlatformObject.objects.filter(pk=row.pk).update(**values)


def _record_switches(ticket: Ticket, done: Sequence[tuple[base.Operation, Mapping[str, str]]]) -> None:
    """What was paused by name is held back from activating the whole; what hangs under an archived object went with it."""
    for operation, _ids in done:
        refs = [each.ref for each in operation.objects]
        if operation.action == "pause" and ticket.scope:
            rows_of(ticket).filter(ref__in=refs).update(held_back=True)
        elif operation.action == "activate":
            rows_of(ticket).filter(ref__in=refs).update(held_back=False)
        elif operation.action == "archive":
            _archive_children(ticket, refs)


def _archive_children(ticket: Ticket, refs: Sequence[str]) -> None:
    level = list(refs)
    while level:
        children = rows_of(ticket).filter(parent__in=level)
        level = list(children.values_list("ref", flat=True))
        children.update(status=ARCHIVED, applied_status=ARCHIVED)


def _write_back(ticket: Ticket, ids: Mapping[tuple[str, str], str]) -> None:
    """Ids on the rows that people look at: one update a level. Budgets have no row of their own."""
    by_type: dict[str, dict[str, str]] = {}
    for (object_type, intent), external_id in ids.items():
        by_type.setdefault(object_type, {})[intent] = external_id
    for external_id in by_type.get("campaign", {}).values():
        _write_campaign_id(ticket, external_id)
    ad_sets, ads = (
        AdSet.objects.filter(ticket=ticket),
        Ad.objects.filter(ad_set__in=ticket.ad_sets.values("pk")),
    )
    for rows, object_type, column in (
        (ad_sets, "ad_set", "external_id"), (ads, "ad", "external_id"), (ads, "creative", "creative_external_id"),
    ):  # fmt: skip
        found = by_type.get(object_type)
        if found:
            whens = [When(intent_id=intent, then=Value(external_id)) for intent, external_id in found.items()]
            rows.filter(intent_id__in=found).update(**{column: Case(*whens, output_field=CharField())})


def _write_campaign_id(ticket: Ticket, external_id: str) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(external_id=external_id)
    ticket.external_id = external_id
    names = CampaignChannel.objects.filter(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)
    names.filter(deployed_at__isnull=True).update(deployed_at=timezone.now())
