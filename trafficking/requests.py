"""Tickets that follow another: changes, switches, names and undoing of what is built.

A ticket that changes content holds a whole copy of the tree, with the same intents: what is sent is the difference
between that copy and what the platform has. A switch holds nothing but its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from governance.actor import acting
from trafficking import held
from trafficking.models import Ad, AdSet, Ticket
from trafficking.services import require_permission
from trafficking.statuses import Status

Type = Ticket.RequestType

#: What a following ticket takes over from its base.
_TICKET_FIELDS = (
    "campaign", "channel", "ad_account", "budget_level", "budget", "budget_type", "bid_strategy", "bid_amount",
    "start_on", "end_on", "special_ad_categories", "special_ad_category_countries", "political", "payload_config",
    "budget_source", "owner",
)  # fmt: skip
_UNDONE_BY = {Type.UPDATE: Type.UPDATE, Type.ADD: Type.UPDATE, Type.RENAME: Type.RENAME}
#: What a copied ad set or ad does not take over.
_OWN = frozenset(
    {"id", "public_id", "version", "created_at", "updated_at", "archived_at", "ticket", "ad_set"}
)


def current_tree(campaign_id: int, channel_id: int) -> Ticket | None:
    """The ticket whose tree is on the platform now: the newest one with content that was trafficked, else the newest
    that built something."""
    content = Ticket.objects.filter(
        campaign_id=campaign_id, channel_id=channel_id, request_type__in=Ticket.CONTENT
    ).select_related("campaign__brand", "campaign__market", "channel", "ad_account")
    built = content.filter(status=Status.TRAFFICKED_SUCCESS).order_by("-id").first()
    return (
        built or content.filter(status=Status.FAILED, platform_objects__isnull=False).order_by("-id").first()
    )


def start_request(
    *, base: Ticket, request_type: str, by: Any, scope: Sequence[str] = (), go_live_at: datetime | None = None,
    note: str = "",
) -> Ticket:  # fmt: skip
    """A new DRAFT ticket that follows `base`: with a copy of its tree where content or names are to change.

    Raises PermissionDenied, or ValidationError where nothing is built, or another change is still open.
    """
    require_permission(by, "trafficking.change_ticket", base)
    if request_type == Type.CREATE:
        raise ValidationError(_("A new campaign starts from the campaign's page."), code="request_type")
    if not held.campaign_id_of(base):
        raise ValidationError(_("Nothing of this campaign is on the platform yet."), code="not_built")
    with acting(by, reason=note or f"{request_type.lower()} requested"), transaction.atomic():
        ticket = _follow(base, request_type, scope=list(scope), go_live_at=go_live_at, request_note=note)
        if request_type in Ticket.CONTENT:
            _copy_tree(base, ticket)
        ticket.refresh_from_db()
    return ticket


def undo_request(*, ticket: Ticket, by: Any, note: str = "") -> Ticket:
    """A new DRAFT ticket that takes back what a trafficked one has done.

    Of a change: the tree as it was before; of PAUSE: ACTIVATE of the same scope; of ACTIVATE: PAUSE. An archive can't be
    undone on any platform. Ad sets and ads that the change added stay, and are told by QA: archive them.
    """
    require_permission(by, "trafficking.change_ticket", ticket)
    if ticket.status != Status.TRAFFICKED_SUCCESS or ticket.base is None:
        raise ValidationError(_("Only a change that was carried out can be undone."), code="wrong_status")
    note = note or f"Undo of ticket {ticket.pk}"
    opposite = {Type.PAUSE: Type.ACTIVATE, Type.ACTIVATE: Type.PAUSE}.get(Type(ticket.request_type))
    if opposite:
        return start_request(
            base=ticket.base, request_type=opposite, by=by, scope=_switched(ticket), note=note
        )
    if ticket.request_type == Type.ARCHIVE:
        raise ValidationError(_("What is archived can't be brought back: build it anew."), code="archived")
    if ticket.request_type not in _UNDONE_BY:
        raise ValidationError(_("A new campaign is taken back by archiving it."), code="request_type")
    return start_request(
        base=ticket.base, request_type=_UNDONE_BY[Type(ticket.request_type)], by=by, note=note
    )


def _switched(ticket: Ticket) -> list[str]:
    """The scope of what a switch really moved: an undone activation leaves what ran before."""
    if ticket.scope or ticket.request_type == Type.PAUSE:
        return list(ticket.scope)
    return []


def _follow(base: Ticket, request_type: str, **values: Any) -> Ticket:
    taken = {name: getattr(base, name) for name in _TICKET_FIELDS}
    if request_type not in Ticket.CONTENT:
        taken |= {"budget": None, "budget_level": Ticket.BudgetLevel.AD_SET, "bid_amount": None}
    ticket = Ticket(base=base, request_type=request_type, **taken, **values)
    ticket.save()
    return ticket


def _copy_tree(base: Ticket, ticket: Ticket) -> None:
    """Ad sets and ads with their intents and platform ids, save for what is archived."""
    gone = _archived_intents(base)
    for ad_set in base.ad_sets.prefetch_related("ads"):
        if str(ad_set.intent_id) in gone:
            continue
        copy = AdSet(ticket=ticket, **_taken(ad_set))
        copy.save()
        for ad in ad_set.ads.all():
            if str(ad.intent_id) not in gone:
                Ad(ad_set=copy, **_taken(ad)).save()


def _taken(row: AdSet | Ad) -> dict[str, Any]:
    return {
        field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name not in _OWN
    }


def _archived_intents(base: Ticket) -> set[str]:
    """Intents whose object was archived, unless a newer one of the same intent lives."""
    objects = base.tree_objects()
    living = set(objects.exclude(status=held.ARCHIVED).values_list("intent", flat=True))
    return set(objects.filter(status=held.ARCHIVED).values_list("intent", flat=True)) - living
