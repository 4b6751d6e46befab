"""Saved views above a list: chips, save, rename, share, delete, open with."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext

from governance import saved_views
from governance.models import SavedView
from governance.models.views import kept_query

#: Asked for by the chip "All": the list without a filter, also where it opens with one.
ALL = "view=all"


def views_context(request: HttpRequest, page: str, *, here: str, target: str) -> dict[str, Any]:
    """For `governance/admin/saved_views.html`: one query. `here` is the list's address, `target` takes the changes."""
    query = _kept(request.GET.urlencode())
    rows: list[Any] = list(SavedView.objects.on_page(page, request.user))
    for row in rows:
        row.mine = row.owner_id == request.user.pk
        row.current = row.query == query and (query != "" or request.GET.get("view") != "all")
    return {
        "rows": rows, "query": query, "here": here, "target": target, "all": f"{here}?{ALL}",
        "current": next((row for row in rows if row.current), None), "everything": not query,
    }  # fmt: skip


def _kept(query: str) -> str:
    try:
        return kept_query(query)
    except ValidationError:
        return ""


def opens_with(request: HttpRequest, page: str, *, here: str) -> HttpResponse | None:
    """A redirect to the person's default view where the page is opened plainly from elsewhere. Whoever takes a filter
    off on the page itself is left with all rows."""
    if request.method != "GET" or request.GET or here in request.headers.get("Referer", ""):
        return None
    query = saved_views.default_query(request.user, page)
    return HttpResponseRedirect(f"{here}?{query}") if query else None


def change_views(request: HttpRequest, page: str, *, here: str) -> HttpResponse:
    """One POST of the sheet; back to the list with what came of it in words."""
    if request.method != "POST":
        return HttpResponseRedirect(here)
    query = request.POST.get("query", "")
    try:
        text, query = _carried_out(request, page, query)
        messages.success(request, text)
    except ValidationError as refused:
        for said in refused.messages:
            messages.error(request, said)
    except PermissionDenied:
        raise Http404 from None
    kept = _kept(query)
    return HttpResponseRedirect(f"{here}?{kept or ALL}")


def _carried_out(request: HttpRequest, page: str, query: str) -> tuple[str, str]:
    """What was done in words, and the filter to show then."""
    asked, by, name = request.POST.get("do", ""), request.user, request.POST.get("name", "")
    if asked == "save":
        shared = "shared" in request.POST
        view = saved_views.save_view(by=by, page=page, name=name, query=query, shared=shared)
        return gettext("Saved as “%(name)s”.") % {"name": view.name}, view.query
    if asked == "all":
        saved_views.open_with_all(by=by, page=page)
        return gettext("This page opens with all rows again."), query
    view = _view(request, page)
    if asked == "rename":
        shared = "shared" in request.POST
        saved_views.change_view(view=view, by=by, name=name, shared=shared)
        return gettext("Changed: “%(name)s”.") % {"name": view.name}, view.query
    if asked == "default":
        saved_views.open_with(view=view, by=by)
        return gettext("This page opens with “%(name)s” for you.") % {"name": view.name}, view.query
    if asked == "delete":
        saved_views.delete_view(view=view, by=by)
        return gettext("“%(name)s” is deleted.") % {"name": view.name}, ""
    raise Http404


def _view(request: HttpRequest, page: str) -> SavedView:
    pk = request.POST.get("view", "")
    rows = SavedView.objects.visible_to(request.user).filter(page=page)
    found = rows.filter(pk=pk).first() if pk.isascii() and pk.isdecimal() and len(pk) < 19 else None
    if found is None:
        raise Http404
    return found


class SavedViews:
    """Mixed into an admin: its list has saved views, and rows that are kept fresh where it has a `live_url`."""

    views_page: ClassVar[str]
    list_before_template = "governance/admin/list_before.html"
    live_url: Any = ""

    def get_urls(self) -> list[URLPattern]:
        meta = self.model._meta  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.views_view)  # type: ignore[attr-defined]
        own = super().get_urls()  # type: ignore[misc]
        return [path("views/", view, name=f"{meta.app_label}_{meta.model_name}_views"), *own]

    def views_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        return change_views(request, self.views_page, here=self.page("changelist"))  # type: ignore[attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        here = self.page("changelist")  # type: ignore[attr-defined]
        may = self.has_view_permission(request)  # type: ignore[attr-defined]
        if may and (elsewhere := opens_with(request, self.views_page, here=here)) is not None:
            return elsewhere
        shown = views_context(request, self.views_page, here=here, target=self.page("views")) if may else None  # type: ignore[attr-defined]
        if "view" in request.GET:  # it is no condition on rows
            kept = request.GET.copy()
            del kept["view"]
            request.GET = kept  # type: ignore[assignment]
            request.META["QUERY_STRING"] = request.GET.urlencode()
        answer: HttpResponse = super().changelist_view(  # type: ignore[misc]
            request, {**(extra_context or {}), "saved_views": shown, "live_url": self.live_url}
        )
        return answer
