"""Pages of one's own notices beside their list: open one, read them all, choose how to be told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance import notices
from governance.models import Notice, NoticeKind


def urls() -> list[URLPattern]:
    """For the admin site's own namespace."""
    ways: tuple[tuple[str, Any, str], ...] = (
        ("notices/<uuid:public_id>/open/", open_one, "notice_open"),
        ("notices/read/", read_all, "notices_read"),
        ("notices/preferences/", preferences, "notice_preferences"),
    )
    return [path(route, admin.site.admin_view(view), name=name) for route, view, name in ways]


@require_GET
def open_one(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """It is read, and the page that it is about comes up."""
    mine = Notice.objects.visible_to(request.user).filter(public_id=public_id)
    notice = mine.first()
    if notice is None:
        raise Http404
    notices.mark_read(mine, by=request.user)  # type: ignore[arg-type]
    inside = notice.path and url_has_allowed_host_and_scheme(notice.path, allowed_hosts=None)
    return HttpResponseRedirect(notice.path if inside else reverse("admin:governance_notice_changelist"))


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    n = notices.mark_read(Notice.objects.all(), by=request.user)  # type: ignore[arg-type]
    messages.success(request, ngettext("%(n)d notice is read.", "%(n)d notices are read.", n) % {"n": n})
    return HttpResponseRedirect(reverse("admin:governance_notice_changelist"))


@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        for kind in NoticeKind.values:
            notices.set_preference(
                person=request.user, kind=kind, in_app=f"in_app-{kind}" in request.POST,  # type: ignore[arg-type]
                by_mail=f"by_mail-{kind}" in request.POST,
            )  # fmt: skip
        messages.success(request, gettext("Saved: you are told that way from now on."))
        return HttpResponseRedirect(reverse("admin:notice_preferences"))
    context = {
        **admin.site.each_context(request), "title": gettext("How you are told"),
        "rows": notices.all_preferences(request.user), "mail": request.user.email,  # type: ignore[arg-type,union-attr]
    }  # fmt: skip
    return TemplateResponse(request, "governance/notices/preferences.html", context)
