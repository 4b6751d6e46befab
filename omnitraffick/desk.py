"""The desk: what waits for this person, what is in trouble, what runs, and how clean the names are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from deploy import desk as deployed
from governance import money, panels
from governance.findings import MESSAGES
from omnitraffick.first_steps import first_steps
from trafficking import desk as tickets
from trafficking.admin_parts import REQUEST_WORDS, STATUS_BADGES
from trafficking.models import Ticket
from trafficking.statuses import Status

#: The steps of the work in their order, and the statuses that stand in each.
STEPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("Draft"), (Status.DRAFT,)),
    (_("QA failed"), (Status.QA_TESTING, Status.QA_FAILED)),
    (_("Waiting for approval"), (Status.READY_FOR_API,)),
    (_("Approved"), (Status.APPROVED,)),
    (_("Being built"), (Status.QUEUED, Status.DEPLOYING)),
    (_("In doubt or failed"), (Status.IN_DOUBT, Status.FAILED)),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: a link whose length is told in text as well."""

    label: str
    count: int
    url: str
    percent: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A list of tickets on the desk."""

    title: Any
    empty: Any
    count: str
    rows: list[dict[str, Any]]
    url: str


def urls() -> list[URLPattern]:
    """For the admin site's own namespace."""
    return [path("desk/running/", admin.site.admin_view(running), name="desk_running")]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback for the index page."""
    user = request.user
    if not user.has_perm("trafficking.view_ticket"):
        return {**context, "desk": None}
    boxes, trouble = _boxes(user)
    return {
        **context, "title": gettext("Desk"), "desk": {
            "boxes": boxes, "steps": _steps(user), "at_risk": _at_risk(user, trouble), "rules": _rules(user),
            "names": _names(user), "days": _days(user), "alerts": deployed.alerts(user), "actions": _actions(user),
            "panels": panels.panels_at("desk", request), "poll_url": reverse("admin:desk_running"),
            "first_steps": first_steps(user),
        },
    }  # fmt: skip


def _boxes(user: Any) -> tuple[list[Box], list[Ticket]]:
    trouble = list(tickets.troubled(user)[: tickets.MOST + 1])
    made = [_box(_("My open tickets"), _("Nothing open is yours."), list(tickets.my_open(user)[: tickets.MOST + 1]),
                 f"owner__id__exact={user.pk}&status__in={','.join(tickets.OPEN)}")]  # fmt: skip
    if user.has_perm("trafficking.approve_ticket"):
        waiting = list(tickets.awaiting(user)[: tickets.MOST + 1])
        made.insert(
            0,
            _box(
                _("Waiting for my approval"),
                _("No plan waits for you."),
                waiting,
                page=reverse("admin:trafficking_ticket_waiting"),
            ),
        )
    made.append(
        _box(_("Failed or in doubt"), _("Nothing has failed, nothing is in doubt."), trouble,
             f"status__in={Status.FAILED},{Status.IN_DOUBT}")
    )  # fmt: skip
    return made, trouble


def _box(title: Any, empty: Any, rows: Sequence[Ticket], query: str = "", page: str = "") -> Box:
    """`page` is where all of them stand; else the list of tickets with `query`."""
    shown, count = tickets.cut(rows)
    return Box(title, empty, count, [_line(each) for each in shown], page or f"{_tickets_page()}?{query}")


def _line(row: Ticket) -> dict[str, Any]:
    return {
        "name": str(row), "url": reverse("admin:trafficking_ticket_change", args=[row.pk]),
        "what": REQUEST_WORDS[row.request_type], "where": f"{row.campaign.brand.code} · {row.campaign.market.code}",
        "status": row.get_status_display(), "tone": STATUS_BADGES[row.status],
        "starts": date_format(row.start_on, "SHORT_DATE_FORMAT"),
    }  # fmt: skip


def _tickets_page() -> str:
    return reverse("admin:trafficking_ticket_changelist")


def _bars(given: Iterable[tuple[str, int, str, str]]) -> list[Bar]:
    rows = list(given)
    longest = max((count for _label, count, _url, _tone in rows), default=0) or 1
    return [Bar(label, count, url, round(100 * count / longest), tone) for label, count, url, tone in rows]


def _steps(user: Any) -> list[Bar]:
    counted = tickets.by_status(user)
    return _bars(
        (str(label), sum(counted.get(each, 0) for each in statuses), f"{_tickets_page()}?status__in={','.join(statuses)}",
         "bad" if Status.FAILED in statuses or Status.QA_FAILED in statuses else "")
        for label, statuses in STEPS
    )  # fmt: skip


def _at_risk(user: Any, trouble: Sequence[Ticket]) -> list[str]:
    """Budgets, in their currencies, of what failed, is in doubt, or lives otherwise than it was applied."""
    drifting = deployed.drifting_tickets(user, tickets.LATEST)
    totals = tickets.budgets(user, [*(each.pk for each in trouble), *drifting])
    return [money.shown(amount, currency) for currency, amount in sorted(totals.items()) if amount]


def _rules(user: Any) -> list[Bar]:
    """What QA refuses most, in the words of the rule with its values left out."""
    page = f"{_tickets_page()}?status__exact={Status.QA_FAILED}"
    return _bars((rule_words(code), count, page, "bad") for code, count in tickets.failures_by_rule(user))


def rule_words(code: str) -> str:
    message = MESSAGES.get(code) or MESSAGES.get(f"{code.partition('.')[0]}.*")
    return re.sub(r"\{\w+\}", "…", gettext(message.text)) if message else code


def _names(user: Any) -> dict[str, Any] | None:
    legal, every = deployed.compliance(user)
    if not every:
        return None
    page = reverse("admin:deploy_existingobject_changelist")
    return {
        "percent": round(100 * legal / every),
        "legal": legal,
        "every": every,
        "url": f"{page}?legal__exact=0",
    }


def _days(user: Any) -> list[Bar]:
    page = reverse("admin:deploy_deployment_changelist")
    return _bars(
        (date_format(day, "j M"), count, f"{page}?state__exact=SUCCEEDED", "good")
        for day, count in deployed.trafficked_by_day(user)
    )


def _actions(user: Any) -> list[tuple[str, str, Any]]:
    """(url, icon, words) of what people begin the day with; pages that are not there are left out."""
    wished = (
        ("admin:trafficking_ticket_build", "add_circle", _("New ticket"), "trafficking.add_ticket"),
        ("admin:board", "view_kanban", _("Board"), "trafficking.view_ticket"),
        (
            "admin:campaigns_importrun_changelist",
            "upload_file",
            _("Import a plan"),
            "campaigns.add_mediaplan",
        ),
    )
    return [
        (url, icon, words)
        for name, icon, words, right in wished
        if user.has_perm(right) and (url := page_of(name))
    ]


def page_of(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@require_GET
def running(request: HttpRequest) -> HttpResponse:
    """The open deployments as a piece of HTML; 304 while nothing has changed."""
    html = render_to_string(
        "omnitraffick/desk/running.html", {"rows": deployed.running(request.user)}, request
    )
    etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    return HttpResponse(html, headers={"ETag": etag, "Cache-Control": "no-store"})
