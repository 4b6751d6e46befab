"""What rows and cards show of a ticket while workers move it: cheap to ask for every few seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext

from trafficking.models import PlatformObject, Ticket
from trafficking.statuses import RUNNING, Status

#: More than any page shows; the rest of a longer list is not looked at.
MOST_IDS = 400

#: Primary keys of tickets with an open deployment -> (operations done, all of them). The deploy floor hangs its own in
#: here; one query.
progress_of: Callable[[Collection[int]], dict[int, tuple[int, int]]] = lambda _tickets: {}  # noqa: E731


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one ticket: where it stands. `on_air`: its campaign is built and switched on, as the platform last told."""

    pk: int
    name: str
    status: str
    version: int
    on_air: bool
    done: int = 0
    total: int = 0

    @property
    def key(self) -> str:
        """Another one whenever something that is shown has changed."""
        return f"{self.version}.{self.done}.{self.total}.{int(self.on_air)}"

    @property
    def good(self) -> bool:
        return self.on_air or self.status == Status.TRAFFICKED_SUCCESS

    @property
    def status_label(self) -> str:
        return str(Status(self.status).label)

    @property
    def word(self) -> str:
        return gettext("Live") if self.on_air else self.status_label

    @property
    def said(self) -> str:
        return f"{self.name}: {self.word}"


def on_air() -> Exists:
    """For tickets: the campaign that they speak of is built and active on its platform."""
    held = PlatformObject.objects.filter(
        tree__campaign_id=OuterRef("campaign_id"), tree__channel_id=OuterRef("channel_id"), object_type="campaign", status="ACTIVE"
    )  # fmt: skip
    return Exists(held)


def standings(tickets: QuerySet[Ticket]) -> list[Standing]:
    """Two queries, the second only where something is on its way."""
    rows = tickets.annotate(is_on_air=on_air()).values_list(
        "pk", "campaign__name", "channel__code", "status", "version", "request_type", "is_on_air"
    )
    found = list(rows.order_by("pk"))
    moving = [pk for pk, *_rest, status, _version, _type, _air in found if status in RUNNING]
    progress = progress_of(moving) if moving else {}
    return [
        Standing(
            pk, f"{campaign} · {channel}", status, version,
            air and status == Status.TRAFFICKED_SUCCESS and kind in Ticket.CONTENT, *progress.get(pk, (0, 0)),
        )
        for pk, campaign, channel, status, version, kind, air in found
    ]  # fmt: skip


def asked_ids(request: HttpRequest) -> list[int]:
    """?ids=1,2,3: those that read as ids."""
    texts = request.GET.get("ids", "").split(",")[:MOST_IDS]
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]


def etag_of(found: Iterable[Standing], *more: Any) -> str:
    parts: Sequence[str] = [f"{each.pk}:{each.key}" for each in found]
    told = "|".join([*parts, get_language() or "", *map(str, more)])
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def unchanged(request: HttpRequest, etag: str) -> bool:
    """What is asked for is what the asker has. A proxy that compresses marks tags as weak."""
    return etag in [
        each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")
    ]
