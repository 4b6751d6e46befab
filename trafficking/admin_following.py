"""The page of a ticket that follows another: what it asks for instead of what it builds."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance.admin_base import EMPTY, admin_link
from trafficking.admin_requests import go_live_field
from trafficking.models import PlatformObject, Ticket

Type = Ticket.RequestType
#: What they are about was decided when the ticket was made.
FIXED = ("campaign", "channel", "ad_account")


class FollowingTicket:
    """Fields of the ticket's page by its request."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None:
            return [_without(own[0], "request_type"), *own[1:]]
        if obj.request_type == Type.CREATE:
            return own
        first = (None, {"fields": (*FIXED, "owner", "name_governed", "external_id")})
        asked = (_("What is asked"), {"fields": self._asked(request, obj)})
        own = [asked, first, *own[1:]]
        return own if obj.request_type in (Type.UPDATE, Type.ADD) else [asked, first, own[-1]]

    def _asked(self, request: HttpRequest, obj: Ticket) -> tuple[str, ...]:
        fields = ["request_type", "base_link"]
        if obj.request_type not in Ticket.CONTENT:
            fields.append("scope_read")
        if obj.request_type == Type.ACTIVATE:
            may = self.has_change_permission(request, obj)  # type: ignore[attr-defined]
            fields.append("go_live_at" if may else "go_live_read")
        return (*fields, "request_note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        fixed = FIXED if obj is not None and obj.request_type != Type.CREATE else ()
        return (*own, "request_type", "base_link", "scope_read", "go_live_read", *fixed)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        if "go_live_at" in made.base_fields:
            made.base_fields["go_live_at"] = go_live_field(obj.ad_account.time_zone)
        return made

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is not None and obj.request_type not in Ticket.CONTENT:
            return []
        return super().get_inline_instances(request, obj)  # type: ignore[misc, no-any-return]

    @admin.display(description=_("Follows"))
    def base_link(self, row: Ticket) -> SafeString | str:
        return admin_link(row.base, f"{row.base_id} · {row.base}") if row.base_id else EMPTY

    @admin.display(description=_("What it is about"))
    def scope_read(self, row: Ticket) -> SafeString | str:
        names = scope_names(row)
        if not names:
            return gettext("The whole campaign")
        return format_html_join("", '<span class="block">{}</span>', ((name,) for name in names))

    @admin.display(description=_("Go live at"))
    def go_live_read(self, row: Ticket) -> str:
        return moment(row.go_live_at, row.ad_account.time_zone) or gettext("As soon as it is deployed")


def _without(fieldset: Any, name: str) -> Any:
    title, options = fieldset
    return title, {**options, "fields": tuple(each for each in options["fields"] if each != name)}


def scope_names(ticket: Ticket) -> list[str]:
    """The names of what a switch is about, as the platform has them; [] for the whole campaign."""
    if not ticket.scope:
        return []
    rows: Any = ticket.tree_objects().filter(intent__in=ticket.scope, object_type__in=("ad_set", "ad"))
    known: dict[str, PlatformObject] = {each.intent: each for each in rows.order_by("id")}
    return [
        f"{known[intent].object_type.replace('_', ' ')} {known[intent].name}" if intent in known else intent
        for intent in ticket.scope
    ]


def moment(at: datetime | None, zone: str) -> str:
    """By the clocks of `zone`, with its name: "March 1, 2027, midnight (America/New_York)"."""
    if at is None:
        return ""
    local = at.astimezone(zoneinfo.ZoneInfo(zone))
    return f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M} ({zone})"
