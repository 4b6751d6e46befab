"""The ticket list's living part: a status with its progress, and the address that its rows are asked for at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from trafficking import live
from trafficking.admin_parts import STATUS_BADGES
from trafficking.models import Ticket
from trafficking.statuses import Status


def standing_html(found: live.Standing) -> str:
    context = {"found": found, "badge": STATUS_BADGES.get(found.status, "")}
    return render_to_string("trafficking/admin/standing.html", context)


class OnAirFilter(admin.SimpleListFilter):
    """Built is one fact, switched on another."""

    title = _("on the platform")
    parameter_name = "on_air"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Live")), ("no", _("Built, not live"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("yes", "no"):
            return queryset
        built = queryset.filter(status=Status.TRAFFICKED_SUCCESS, request_type=Ticket.RequestType.CREATE)
        return built.filter(live.on_air()) if self.value() == "yes" else built.exclude(live.on_air())


class LiveRows:
    """Mixed into the ticket's admin: rows change as workers move them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.live_view)  # type: ignore[attr-defined]
        return [path("live/", view, name="trafficking_ticket_live"), *super().get_urls()]  # type: ignore[misc]

    @property
    def live_url(self) -> str:
        return str(self.page("live"))  # type: ignore[attr-defined]

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """JSON {items: [{id, key, good, say, html}]} of the tickets in ?ids= that are the person's; 304 if unchanged."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        rows = Ticket.objects.visible_to(request.user).filter(pk__in=live.asked_ids(request))
        found = live.standings(rows)
        etag = live.etag_of(found)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if live.unchanged(request, etag):
            return HttpResponseNotModified(headers=headers)
        return JsonResponse(
            {"items": [live_item(each) | {"html": standing_html(each)} for each in found]}, headers=headers
        )

    @admin.display(description=_("Status"), ordering="status")
    def status_now(self, row: Ticket) -> SafeString:
        """The badge; progress and "live" come with the first look."""
        shown = live.Standing(row.pk, str(row), row.status, row.version, on_air=False)
        return format_html(
            '<span class="ot-now" data-live-id="{}">{}</span>', row.pk, SafeString(standing_html(shown))
        )


def live_item(found: live.Standing) -> dict[str, Any]:
    return {"id": found.pk, "key": found.key, "good": found.good, "say": found.said}


def standings_of_campaigns(campaigns: Collection[int]) -> dict[int, list[tuple[str, str]]]:
    """Primary keys -> (badge, "2 × Draft") of their tickets; one query. Cancelled tickets are left out."""
    rows = Ticket.objects.filter(campaign_id__in=campaigns).exclude(status=Status.CANCELLED)
    counted = {
        (each["campaign_id"], each["status"]): each["n"]
        for each in rows.order_by().values("campaign_id", "status").annotate(n=Count("pk"))
    }
    found: dict[int, list[tuple[str, str]]] = {}
    for status in Status:
        for campaign in campaigns:
            if n := counted.get((campaign, status.value)):
                words = f"{n} × {status.label}" if n > 1 else str(status.label)
                found.setdefault(campaign, []).append((STATUS_BADGES[status.value], words))
    return found
