"""Naming conventions: an editor that shows what it builds while one types, a test box, versions side by side."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from governance import naming, services
from governance.admin_base import SharedAdmin, tell
from governance.convention_trial import differences, samples_of, try_out
from governance.impact import impact_of
from governance.models import NamingConvention

LEVEL_WORDS = {"campaign": _("Campaign"), "ad_set": _("Ad set"), "ad": _("Ad")}
#: What the editor sends of an unsaved convention, by kind.
TEXTS = ("separator", "allowed_characters", *(f"{level}_pattern" for level in naming.LEVELS))
COUNTS = tuple(f"{level}_max_length" for level in naming.LEVELS)
MOST_NAME = 400


@admin.register(NamingConvention)
class NamingConventionAdmin(SharedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {
        "campaign_pattern": _(
            "Parts in braces, joined by the separator: brand, market, channel, year, month, objective, name."
        ),
        "ad_set_pattern": _("The campaign's parts, and {ad_set}."),
        "ad_pattern": _("The campaign's parts, {ad_set}, {ad}, and {format} if you like."),
        "campaign_max_length": _("The most characters of a whole campaign name, from 20 to 400."),
        "ad_set_max_length": _("Likewise of an ad set's name."),
        "ad_max_length": _("Likewise of an ad's name."),
    }
    list_display = ("number_shown", "campaign_pattern", "separator", "force_badge", "note", "updated_at")
    list_filter = ("in_force",)
    search_fields = ("campaign_pattern", "ad_set_pattern", "ad_pattern", "note")
    ordering = ("-number",)
    readonly_fields = ("in_force", "tried")
    actions_detail = ("compare", "put_in_force")
    fieldsets = (
        (None, {"fields": ("number", "in_force", "note")}),
        (
            _("Patterns"),
            {"fields": ("campaign_pattern", "ad_set_pattern", "ad_pattern", "separator", "tried")},
        ),
        (_("What names may be made of"), {"fields": ("allowed_characters", "transliterate", "part_lengths")}),
        (_("Lengths"), {"fields": ("campaign_max_length", "ad_set_max_length", "ad_max_length")}),
        (_("Links"), {"fields": ("utm_parameters",)}),
    )

    class Media:
        js: ClassVar[list[Any]] = [Script("governance/conventions.js", defer=True)]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.try_view))
        return [path("try/", view, name="governance_namingconvention_try"), *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts from the one in force: mostly one thing is changed."""
        last = NamingConvention.objects.aggregate(last=Max("number"))["last"] or 0
        current = NamingConvention.in_force_or_none()
        names = (*TEXTS, *COUNTS, "transliterate", "part_lengths", "utm_parameters")
        begun = {name: getattr(current, name) for name in names} if current else {}
        return {"number": last + 1, **begun, **super().get_changeform_initial_data(request)}

    @display(description=_("Version"), ordering="number")
    def number_shown(self, row: NamingConvention) -> str:
        return f"v{row.number}"

    @display(description=_("State"), ordering="in_force", label={"in": "success", "out": "info"})
    def force_badge(self, row: NamingConvention) -> tuple[str, str]:
        return ("in", gettext("In force")) if row.in_force else ("out", gettext("Not in force"))

    # --- trying

    @admin.display(description=_("Try it"))
    def tried(self, row: NamingConvention) -> SafeString:
        begun = row if row.pk else NamingConvention.in_force_or_none() or row
        samples = [] if naming.convention_findings(begun.as_rules()) else samples_of(begun.as_rules())
        context = {"samples": samples, "levels": LEVEL_WORDS, "url": self.page("try")}
        return mark_safe(render_to_string("governance/conventions/box.html", context))  # noqa: S308  a template's output

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What the convention as it stands in the form builds and reads; nothing is saved."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            convention = _unsaved(request.POST)
        except ValidationError as refused:
            context: dict[str, Any] = {"problems": refused.messages}
        else:
            level = request.POST.get("try_level", "campaign")
            name = request.POST.get("try_name", "")[:MOST_NAME]
            context = _trial_context(
                convention, request.user, level=level if level in naming.LEVELS else "campaign", name=name
            )
        return TemplateResponse(request, "governance/conventions/trial.html", context)

    @action(description=_("Compare"), url_path="compare", icon="compare")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This version beside another one: the one in force, or the one before it."""
        row = self.row_or_404(request, object_id)
        others = NamingConvention.objects.exclude(pk=row.pk).order_by("-number")
        asked = request.GET.get("with", "")
        other = others.filter(pk=asked).first() if asked.isdigit() else None
        other = other or others.filter(in_force=True).first() or others.first()
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "row": row, "other": other,
            "others": others, "back": self.page("change", row.pk),
            "title": gettext("Version %(number)s beside another") % {"number": row.number},
        }  # fmt: skip
        if other is not None:
            both = zip(samples_of(other.as_rules()), samples_of(row.as_rules()), strict=True)
            context |= {
                "differences": differences(other, row),
                "samples": list(both),
                "saved": [(each, each.history.order_by("-history_date").first()) for each in (other, row)],
            }
        return TemplateResponse(request, "governance/conventions/compare.html", context)

    # --- putting in force

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        actions = super().get_actions_detail(request, object_id)
        row = self.get_object(request, str(object_id))
        if row and not row.in_force and self.has_change_permission(request, row):
            return actions
        return [each for each in actions if not each.action_name.endswith("put_in_force")] if row else []

    @action(
        description=_("Put in force"), url_path="put-in-force", icon="gavel", variant=ActionVariant.PRIMARY
    )
    def put_in_force(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page that says what will happen; then the service."""
        row = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, row)
        try:
            services.put_in_force(convention=row, by=request.user)
        except ValidationError as refused:
            tell(request, refused)
        else:
            messages.success(request, gettext("Version %(number)s is in force.") % {"number": row.number})
        return HttpResponseRedirect(self.page("change", row.pk))

    def _ask(self, request: HttpRequest, row: NamingConvention) -> HttpResponse:
        before, impact = NamingConvention.in_force_or_none(), impact_of(row)
        counts = {"kept": impact.kept, "renamed": impact.renamed, "live": impact.live}
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row,
            "title": gettext("Put version %(number)s in force?") % {"number": row.number},
            "lines": [
                gettext("It builds every new name from now on."),
                gettext("It ends version %(number)s.") % {"number": before.number} if before else "",
                gettext("%(renamed)s names that no platform knows yet are built again.") % counts,
                gettext("%(kept)s names on platforms stay (%(live)s of their campaigns run now).") % counts,
                gettext("Tickets whose names change have to be submitted again."),
            ],
            "button": gettext("Put in force"), "back": self.page("change", row.pk),
            "before": mark_safe(  # noqa: S308  a template's output
                render_to_string("governance/conventions/ask.html", {"impact": impact, **_trial_context(row, request.user)})
            ),
        }  # fmt: skip
        return TemplateResponse(request, "governance/admin/confirm.html", context)


def _trial_context(
    convention: NamingConvention, by: Any, *, level: str = "campaign", name: str = ""
) -> dict[str, Any]:
    trial = try_out(convention, by=by, level=level, name=name)
    return {
        "problems": [f"{each.message} {each.remedy}" for each in trial.findings],
        "samples": trial.samples, "reading": trial.reading, "level_words": LEVEL_WORDS,
    }  # fmt: skip


def _unsaved(sent: Any) -> NamingConvention:
    """The convention of a form that may be half filled in. ValidationError where a value can't be read."""
    meta: Any = NamingConvention._meta
    made = NamingConvention(number=0, transliterate=bool(sent.get("transliterate")))
    for name in TEXTS:
        setattr(made, name, sent.get(name, "").strip()[:200])
    for name in COUNTS:
        text = sent.get(name, "").strip()
        if not text.isdecimal() or len(text) > 4:
            label = meta.get_field(name).verbose_name
            raise ValidationError(
                _("%(field)s: write a whole number from 20 to 400."), params={"field": label}
            )
        setattr(made, name, int(text))
    try:
        made.part_lengths = json.loads(sent.get("part_lengths") or "{}")
    except ValueError as error:
        raise ValidationError(_('Part lengths: write {"name": 60, "ad_set": 60, "ad": 60}.')) from error
    made.check_part_lengths()
    return made
