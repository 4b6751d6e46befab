"""The ticket builder's pages: the form, what it offers, the names and the checks while it is filled in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from campaigns.models import Campaign
from governance.admin_base import changed_meanwhile
from governance.findings import blocking
from governance.governed import StaleVersion
from governance.models import AdAccount
from trafficking import services
from trafficking.builder_forms import (
    AD_FIELDS,
    AD_MORE,
    AD_SET_FIELDS,
    AD_SET_MORE,
    CAMPAIGN_FIELDS,
    NEW_SET,
    TICKET_FIELDS,
    TICKET_MORE,
    Builder,
    Part,
)
from trafficking.building import check_built, refusals, save_built
from trafficking.choices import Question, offered
from trafficking.models import MediaFile, Ticket
from trafficking.name_preview import preview_names
from trafficking.statuses import GUARDED

#: A dialog of pictures; more are found by typing.
MOST_PICTURES = 60
_STAND_IN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 36"><rect width="48" height="36" fill="#44403c"/>'
    '<path d="M19 11l13 7-13 7z" fill="#e7e5e4"/></svg>'
)


class BuilderPages:
    """Mixed into the tickets' admin, whose rights and reach hold here."""

    admin_site: Any
    page: Any

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("build/", wrap(self.build_view), name="trafficking_ticket_build"),
            path("build/names/", wrap(require_POST(self.names_view)), name="trafficking_build_names"),
            path("build/check/", wrap(require_POST(self.check_view)), name="trafficking_build_check"),
            path(
                "build/choices/<slug:kind>/",
                wrap(require_GET(self.choices_view)),
                name="trafficking_build_choices",
            ),
            path("build/media/", wrap(require_GET(self.library_view)), name="trafficking_build_media"),
            path(
                "build/media/<slug:sha256>/",
                wrap(require_GET(self.picture_view)),
                name="trafficking_build_picture",
            ),
            path("<int:object_id>/build/", wrap(self.build_view), name="trafficking_ticket_build"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    # --- the form

    def build_view(self, request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        ticket = self._buildable(request, str(object_id)) if object_id is not None else None
        if object_id is not None and ticket is None:
            text = gettext(
                "This ticket can't be edited in the builder: its page says what can be done with it."
            )
            messages.warning(request, text)
            return HttpResponseRedirect(self.page("change", object_id))
        self._require_rights(request, ticket)
        if request.method == "POST":
            return self._saved(request, ticket)
        builder = Builder(request.user, ticket, campaign=_campaign_asked_for(request))
        if ticket is not None:
            builder.tell(finding.as_report() for finding in ticket.all_findings)
        return self._form(request, builder)

    def _buildable(self, request: HttpRequest, object_id: str) -> Ticket | None:
        """The ticket, if it is the person's (else 404) and holds a tree that can still be edited (else None)."""
        ticket = self.row_or_404(request, object_id)  # type: ignore[attr-defined]
        return ticket if ticket.editable and ticket.request_type in Ticket.CONTENT else None

    def _require_rights(self, request: HttpRequest, ticket: Ticket | None) -> None:
        allowed = (
            self.has_change_permission(request, ticket)  # type: ignore[attr-defined]
            if ticket is not None
            else self.has_add_permission(request)  # type: ignore[attr-defined]
        )
        if not allowed:
            raise PermissionDenied

    def _saved(self, request: HttpRequest, ticket: Ticket | None) -> HttpResponse:
        builder = Builder(request.user, ticket, request.POST)
        versions = _versions(builder, request)
        try:
            saved = save_built(by=request.user, draft=builder.draft(), versions=versions)
        except StaleVersion as stale:
            return self._form(
                request, builder, conflict=_conflict(getattr(stale, "row", None) or ticket, ticket)
            )
        except ValidationError as refused:
            found = refusals(refused)
            builder.tell(found)
            text = ngettext("Nothing was saved: %(count)s thing is to be mended.",
                            "Nothing was saved: %(count)s things are to be mended.", len(found))  # fmt: skip
            return self._form(request, builder, refused=text % {"count": len(found)})
        except DatabaseError:
            return self._form(request, builder, refused=_unstorable())
        if saved.status in GUARDED:
            return self._kept(request, saved)
        if "_submit" in request.POST:
            return self._submitted(request, saved)
        messages.success(request, gettext("Saved as a draft."))
        return HttpResponseRedirect(reverse("admin:trafficking_ticket_build", args=[saved.pk]))

    def _kept(self, request: HttpRequest, ticket: Ticket) -> HttpResponse:
        """Ready or approved, and nothing was changed: there is nothing to save or to submit."""
        text = gettext("Nothing was changed: the ticket stays '%(status)s'.")
        messages.info(request, text % {"status": ticket.get_status_display()})
        return HttpResponseRedirect(self.page("change", ticket.pk))

    def _submitted(self, request: HttpRequest, ticket: Ticket) -> HttpResponse:
        ticket = Ticket.objects.select_related(*_WITH).get(pk=ticket.pk)
        builder_page = HttpResponseRedirect(reverse("admin:trafficking_ticket_build", args=[ticket.pk]))
        try:
            report = services.submit_ticket(ticket=ticket, by=request.user)
        except ValidationError as refused:
            messages.error(
                request, gettext("Saved as a draft, but not submitted:") + " " + " ".join(refused.messages)
            )
            return builder_page
        except DatabaseError:
            text = gettext("Saved as a draft, but not submitted: the database was busy. Submit it once more.")
            messages.error(request, text)
            return builder_page
        if report.passed:
            messages.success(request, gettext("QA passed: it now waits for the approval of a second person."))
            return HttpResponseRedirect(self.page("change", ticket.pk))
        count = len(blocking(report.findings))
        text = ngettext("Saved, but QA failed with %(count)s finding: it stands at its field.",
                        "Saved, but QA failed with %(count)s findings: they stand at their fields.", count)  # fmt: skip
        messages.warning(request, text % {"count": count})
        return builder_page

    def _form(
        self,
        request: HttpRequest,
        builder: Builder,
        *,
        conflict: dict[str, Any] | None = None,
        refused: str = "",
    ) -> HttpResponse:
        ticket = builder.ticket
        more = builder.shown(builder.values, TICKET_MORE)
        context = {
            **self.admin_site.each_context(request), "opts": Ticket._meta, "ticket": ticket, "conflict": conflict,
            "title": gettext("Edit %(what)s") % {"what": ticket} if ticket else gettext("Build a ticket"),
            "refused": refused, "unsaved": request.method == "POST",
            "version": request.POST.get("version", "") or (ticket.version if ticket else ""),
            "modes": builder.choose.fields["mode"].choices, "mode": builder.choose["mode"].value() or "existing",  # type: ignore[attr-defined]
            "may_make": request.user.has_perm("campaigns.add_campaign"), "currency": _currency(builder),  # type: ignore[union-attr]
            "chosen": builder.shown(builder.choose, ["chosen"]),
            "campaign": builder.shown(builder.campaign, CAMPAIGN_FIELDS),
            "fields": builder.shown(builder.values, TICKET_FIELDS), "more": more, "more_open": _said(more),
            "sets": [_set(builder, each) for each in builder.sets], "blank_set": _set(builder, builder.blank_set),
            "blank_ad": _ad(builder, builder.blank_ad, f"ad_sets[{NEW_SET}].ads"),
            "top": {"whole": builder.remarks.get("", []), "campaign": builder.remarks.get("campaign.chosen", [])},
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/builder/build.html", context)

    # --- while it is filled in

    def names_view(self, request: HttpRequest) -> JsonResponse:
        builder = self._unsaved(request)
        draft = builder.draft()
        draft.ticket.campaign = draft.campaign
        try:
            names = preview_names(draft.ticket, draft.ad_sets or ())
        except DatabaseError:
            return JsonResponse({"names": []}, status=503)
        return JsonResponse({"names": [{**each.as_dict(), "at": builder.place(each.path)} for each in names]})

    def check_view(self, request: HttpRequest) -> JsonResponse:
        builder = self._unsaved(request)
        try:
            found = check_built(by=request.user, draft=builder.draft())
        except ValidationError as refused:
            found = refusals(refused)
        except DatabaseError:
            found = refusals(ValidationError(_unstorable()))
        return JsonResponse({"findings": builder.placed(found)})

    def _unsaved(self, request: HttpRequest) -> Builder:
        asked = request.POST.get("ticket", "")
        ticket = self._buildable(request, asked) if asked else None
        if asked and ticket is None:
            raise Http404
        self._require_rights(request, ticket)
        return Builder(request.user, ticket, request.POST)

    def choices_view(self, request: HttpRequest, kind: str) -> JsonResponse:
        self._require_any(request)
        text = request.GET.get("q", "").replace("\0", "").strip()[:80]
        found = offered(kind, Question(request.user, text, request.GET.dict()))
        if found is None:
            raise Http404
        return JsonResponse({"results": [each.as_dict() for each in found]})

    def _require_any(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):  # type: ignore[attr-defined]
            raise PermissionDenied

    # --- pictures

    def library_view(self, request: HttpRequest) -> HttpResponse:
        """The brand's files as pictures to choose from."""
        self._require_any(request)
        if not request.user.has_perm("trafficking.view_mediafile"):  # type: ignore[union-attr]
            raise PermissionDenied
        rows = MediaFile.objects.visible_to(request.user).current().order_by("-id")
        question = Question(request.user, request.GET.get("q", "").replace("\0", "")[:80], request.GET.dict())
        brand = question.campaign.brand_id if question.campaign else request.GET.get("brand", "")
        if str(brand).isdecimal() and len(str(brand)) < 19:
            rows = rows.filter(brand_id=brand)
        rows = rows.filter(name__icontains=question.text)[:MOST_PICTURES]
        context = {"files": rows, "root": reverse("admin:trafficking_build_media")}
        return TemplateResponse(request, "trafficking/builder/library.html", context)

    def picture_view(self, request: HttpRequest, sha256: str) -> HttpResponse:
        """The small picture of a file by its content; a stand-in for videos, and for what is not the person's."""
        self._require_any(request)
        row = MediaFile.objects.visible_to(request.user).filter(sha256=sha256[:64]).first()
        if row is None or row.as_file().is_video:
            return HttpResponse(_STAND_IN, content_type="image/svg+xml")
        return HttpResponseRedirect(reverse("admin:trafficking_mediafile_thumbnail", args=[row.pk]))


_WITH = ("campaign__brand", "campaign__market", "channel", "ad_account")


def _campaign_asked_for(request: HttpRequest) -> Campaign | None:
    """From a campaign's page: ?campaign=12."""
    asked = request.GET.get("campaign", "")
    rows = Campaign.objects.visible_to(request.user)
    return rows.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None


def _versions(builder: Builder, request: HttpRequest) -> dict[str, int] | None:
    """Those that the person has read; None where they have seen that there is a newer one, and say 'mine instead'."""
    if builder.ticket is None or request.POST.get("over", "") == str(builder.ticket.version):
        return None
    return builder.versions()


def _conflict(row: Any, ticket: Ticket | None) -> dict[str, Any]:
    assert ticket is not None  # nobody else has what is not saved yet
    current = Ticket.objects.filter(pk=ticket.pk).values_list("version", flat=True).first()
    url = reverse("admin:trafficking_ticket_change", args=[ticket.pk])
    return {"text": changed_meanwhile(row), "version": current, "url": url}


def _unstorable() -> str:
    return gettext("The database could not take it: look for unusual characters, or try again in a moment.")


def _currency(builder: Builder) -> str:
    value = builder.values["ad_account"].value()
    rows = AdAccount.objects.visible_to(builder.user)
    known = rows.filter(pk=value).values_list("currency", flat=True) if str(value or "").isdecimal() else ()
    return next(iter(known), "")


def _said(fields: list[Any]) -> bool:
    """A folded part that something is said of stands open."""
    return any(each.remarks for each in fields)


def _set(builder: Builder, part: Part) -> dict[str, Any]:
    more = builder.shown(part.form, AD_SET_MORE)
    ads = [_ad(builder, each, f"{part.prefix}.ads") for each in part.ads]
    return {
        "part": part,
        "fields": builder.shown(part.form, AD_SET_FIELDS),
        "more": more,
        "open": _said(more),
        "ads": ads,
    }


def _ad(builder: Builder, part: Part, keys_name: str) -> dict[str, Any]:
    more = builder.shown(part.form, AD_MORE)
    return {"part": part, "fields": builder.shown(part.form, AD_FIELDS), "more": more, "open": _said(more),
            "keys_name": keys_name}  # fmt: skip
