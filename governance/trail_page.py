"""Govern > Trail: who changed what, filtered, page by page, and as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from governance import reverting, trail
from governance.actor import MOST_REASON
from governance.exports import EXPORTED
from governance.models import Brand, Market, User
from governance.tables import safe_text

#: People offered in the filter.
MOST_PEOPLE = 300
#: The most changes that one file has; filter by days for more.
MOST_EXPORTED = 20_000
_SALT = "governance.trail"
COLUMNS = ("when", "who", "action", "kind", "object", "object_id", "field", "before", "after", "reason")


def urls() -> list[URLPattern]:
    """For the admin site's own namespace."""
    ways: tuple[tuple[str, Any, str], ...] = (
        ("trail/", page, "trail"), ("trail/export/", export, "trail_export"),
        ("trail/<str:label>/<int:history_id>/revert/", revert_page, "trail_revert"),
    )  # fmt: skip
    return [path(route, admin.site.admin_view(view), name=name) for route, view, name in ways]


def may_see(user: Any) -> bool:
    return bool(trail.models_for(user))


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of an address, and what is wrong with them in words."""

    wanted: trail.Wanted
    problems: tuple[str, ...]
    given: dict[str, str]


def asked_of(given: QueryDict, user: Any) -> Asked:
    """Unknown rows and unreadable days are told, and nothing is shown for them."""
    problems: list[str] = []
    kind = given.get("type", "")
    model = trail.model_by_label(kind, user) if kind else None
    if kind and model is None:
        problems.append(
            gettext("There is no kind of object “%(kind)s” that you may see.") % {"kind": kind[:80]}
        )
    days = {name: _day(given.get(name, ""), problems) for name in ("since", "until")}
    wanted = trail.Wanted(
        models=(model,) if model else (), person_id=_key(given, "person"), brand_id=_key(given, "brand"),
        market_id=_key(given, "market"), since=days["since"], object_id=_key(given, "object") if model else None,
        until=days["until"] and days["until"] + timedelta(days=1),
    )  # fmt: skip
    return Asked(wanted, tuple(problems), {name: given.get(name, "") for name in _FILTERS})


_FILTERS = ("type", "object", "person", "brand", "market", "since", "until")


def _key(given: QueryDict, name: str) -> int | None:
    text = given.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _day(text: str, problems: list[str]) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return timezone.make_aware(datetime.combine(day, time.min))
    except (ValueError, OverflowError):
        problems.append(gettext("“%(text)s” is not a day: write YYYY-MM-DD.") % {"text": text[:40]})
        return None


# ---------------------------------------------------------------------------------------------- page


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    if not may_see(request.user):
        raise PermissionDenied
    asked = asked_of(request.GET, request.user)
    after, problem = _place(request.GET.get("after", ""))
    problems = (*asked.problems, *([problem] if problem else []))
    entries, more = ([], False) if problems else trail.page(request.user, asked.wanted, after=after)
    context = {
        **admin.site.each_context(request), "title": gettext("Trail"), "problems": problems, "asked": asked.given,
        "rows": [_row(each, request.user) for each in entries], "choices": _choices(request.user), "first": after is None,
        "filters": _query(asked.given), "older": _query({**asked.given, "after": _sign(entries[-1])}) if more else "",
        "filtered": any(asked.given.values()), "most": f"{MOST_EXPORTED:,}",
    }  # fmt: skip
    return TemplateResponse(request, "governance/trail/trail.html", context)


def _query(values: dict[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in values.items() if value})
    return query.urlencode()


def _sign(entry: trail.Entry) -> str:
    place = entry.place
    return signing.dumps([place.at.isoformat(), place.label, place.history_id], salt=_SALT, compress=True)


def _place(text: str) -> tuple[trail.Place | None, str]:
    if not text:
        return None, ""
    try:
        at, label, history_id = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None, gettext("This address is not one of ours. Start from the newest changes.")
    return trail.Place(datetime.fromisoformat(at), label, history_id), ""


def _choices(user: Any) -> dict[str, Any]:
    people = User.objects.order_by("username").only("pk", "username", "first_name", "last_name")
    kinds = [
        (each._meta.label_lower, capfirst(str(each._meta.verbose_name))) for each in trail.models_for(user)
    ]
    return {
        "kinds": sorted(kinds, key=lambda each: each[1]),
        "people": [(str(each.pk), each.get_full_name() or each.username) for each in people[:MOST_PEOPLE]],
        "brands": [(str(pk), code) for pk, code in Brand.objects.visible_to(user).values_list("pk", "code")],
        "markets": [
            (str(pk), code) for pk, code in Market.objects.visible_to(user).values_list("pk", "code")
        ],
    }


def _row(entry: trail.Entry, user: Any) -> dict[str, Any]:
    many = entry.record.history_type == "+"
    return {
        "entry": entry, "url": _url(entry, "change"), "history": _url(entry, "history"),
        "revert": _revert_url(entry) if reverting.may_offer(user, entry) else "", "folded": many or len(entry.changes) > 6,
        "tone": {"+": "ot-good", "-": "ot-bad"}.get(entry.record.history_type, ""),
    }  # fmt: skip


def _url(entry: trail.Entry, name: str) -> str:
    """The page of the row, where it has one and is the person's."""
    if not entry.exists or entry.model not in admin.site._registry:
        return ""
    meta = entry.model._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[entry.record.id])
    except NoReverseMatch:
        return ""


def _revert_url(entry: trail.Entry) -> str:
    return reverse("admin:trail_revert", args=[entry.label, entry.record.history_id])


# -------------------------------------------------------------------------------------------- revert


class RevertForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why"), required=False, max_length=MOST_REASON - 20, widget=UnfoldAdminTextInputWidget,
        help_text=_("Stands in the history beside the change."),
    )  # fmt: skip
    accept_impact = forms.BooleanField(label=_("I have read what this changes"), required=False)


@require_http_methods(["GET", "POST"])
def revert_page(request: HttpRequest, label: str, history_id: int) -> HttpResponse:
    """What it would do and what stands in the way; then the service."""
    model = trail.model_by_label(label, request.user)
    plan = reverting.preview(request.user, model, history_id) if model and history_id < 2**62 else None
    if plan is None or model is None:
        raise Http404
    version = plan.row.version if plan.row is not None else 0
    form = RevertForm(request.POST or None, initial={"version": version})
    if request.method == "POST" and form.is_valid():
        try:
            row = reverting.revert(
                request.user, model, history_id, version=form.cleaned_data["version"],
                reason=form.cleaned_data["reason"], impact_accepted=form.cleaned_data["accept_impact"],
            )  # fmt: skip
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, gettext("%(row)s is as it was before.") % {"row": row})
            return HttpResponseRedirect(f"{reverse('admin:trail')}?type={plan.entry.label}&object={row.pk}")
    context = {
        **admin.site.each_context(request), "title": gettext("Revert this change?"), "plan": plan, "form": form,
        "back": f"{reverse('admin:trail')}?type={plan.entry.label}&object={plan.entry.record.id}",
    }  # fmt: skip
    return TemplateResponse(request, "governance/trail/revert.html", context)


# -------------------------------------------------------------------------------------------- export


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The trail as it is filtered, one line a changed field, as CSV."""
    if not may_see(request.user):
        raise PermissionDenied
    asked = asked_of(request.GET, request.user)
    if asked.problems:
        return HttpResponse("\n".join(asked.problems), status=400, content_type="text/plain; charset=utf-8")
    return exported(request.user, asked.wanted, _query(asked.given))


def exported(user: Any, wanted: trail.Wanted, filters: str) -> HttpResponseBase:
    """Streamed; what is asked for is written down with the person's name. What is older than the newest
    `MOST_EXPORTED` changes is left to another file."""
    LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(User), object_repr=gettext("Trail"), action_flag=EXPORTED,
        change_message=f"Exported the trail as CSV, filters: {filters[:1000] or 'none'}",
    )  # fmt: skip
    fixed = replace(wanted, until=wanted.until or timezone.now())  # what is written meanwhile moves no page
    response = StreamingHttpResponse(
        _csv(trail.walk(user, fixed, MOST_EXPORTED)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="trail-{timezone.now():%Y-%m-%d}.csv"'
    response["Cache-Control"] = "no-store"
    return response


class _Echo:
    def write(self, text: str) -> str:
        return text


def _csv(entries: Iterable[trail.Entry]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield "\ufeff"
    yield writer.writerow(COLUMNS)
    for entry in entries:
        for line in _lines(entry):
            yield writer.writerow([safe_text(each) for each in line])


def _lines(entry: trail.Entry) -> Iterator[list[str]]:
    record = entry.record
    facts = [
        record.history_date.isoformat(timespec="seconds"), entry.who, trail.ACTION_KEYS[record.history_type], entry.label,
        entry.name, str(record.public_id),
    ]  # fmt: skip
    for change in entry.changes or [trail.Change("", "", "", "")]:
        yield [*facts, change.label, change.old, change.new, entry.reason]
