"""The rule builder: data admins write QA rules by choosing, try them on recent tickets, and switch them on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from governance import built_rules as services
from governance import rule_fields, rule_trees
from governance.admin_base import EMPTY, GovernedAdmin, GovernedForm, tell
from governance.history_view import changes_between
from governance.models import Brand, BuiltRule, Market
from governance.panels import Panel, register
from trafficking import built_rules

#: A body larger than any rule may be.
MOST_BYTES = 200_000
MOST_SHOWN, VERSIONS_SHOWN = 50, 20


# ------------------------------------------------------------------------------------------ fields


class TreeWidget(forms.Widget):
    """The conditions as groups and lines; a script draws them and keeps the text that is sent."""

    template_name = "trafficking/rules/tree.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["trafficking/rules.css"]}
        js: ClassVar[list[Any]] = [Script("trafficking/rules.js", defer=True)]  # the page must be there

    def as_sent(self, name: str, value: Any) -> dict[str, Any]:
        return {name: value if isinstance(value, str) else json.dumps(value)}

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value or rule_trees.empty_tree(), ensure_ascii=False)
        )
        context["widget"] |= {
            "text": text, "known": known_to_script(_read(text)), "words": words_of_script(),
            "offer": reverse("admin:governance_builtrule_offer"), "said": reverse("admin:governance_builtrule_said"),
        }  # fmt: skip
        return context


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def described(known: rule_fields.RuleField) -> dict[str, Any]:
    ops = [{"op": op, "words": str(rule_trees.WORDS[op])} for op in rule_trees.OPERATORS[known.kind]]
    return {"value": known.key, "label": str(known.label), "group": str(known.group), "kind": known.kind, "help": str(known.help),
            "ops": ops}  # fmt: skip


def known_to_script(tree: Any) -> dict[str, Any]:
    """Fields and the words of values that stand in the tree."""
    made: dict[str, Any] = {}
    for each in _lines(tree, rule_trees.DEEPEST + 1):
        known = rule_fields.fields().get(str(each.get("field")))
        if known is None:
            continue
        one = made.setdefault(known.key, {**described(known), "names": {}})
        if known.kind in ("choice", "choices") and isinstance(each.get("value"), list):
            texts = [value for value in each["value"] if isinstance(value, str) and value.isprintable()]
            one["names"] |= {value: known.name_of(value) for value in texts[: rule_trees.MOST_VALUES]}
    return made


def _lines(node: Any, depth: int) -> list[dict[str, Any]]:
    """Conditions of whatever was sent, be it right or not."""
    if not isinstance(node, dict) or not depth:
        return []
    if isinstance(node.get("of"), list):
        return [each for one in node["of"][: rule_trees.MOST_CONDITIONS] for each in _lines(one, depth - 1)]
    return [node]


def words_of_script() -> dict[str, Any]:
    return {
        "bare": sorted(rule_trees.BARE), "matches": {key: str(words) for key, words in rule_trees.MATCHES.items()},
        "currencies": {key: str(words) for key, words in rule_trees.CURRENCIES.items()},
        "texts": {
            "group": gettext("Group"), "of": gettext("of these are true"), "condition": gettext("Add condition"),
            "add_group": gettext("Add group"), "remove": gettext("Remove"), "field": gettext("Field"),
            "how": gettext("How"), "value": gettext("Value"), "to": gettext("to"), "search": gettext("Type to search…"),
            "none": gettext("Nothing found."), "amount": gettext("Amount"), "currency": gettext("Currency"),
            "choose_field": gettext("Choose a field…"), "failed": gettext("The server did not answer: try again."),
        },
    }  # fmt: skip


class TreeField(forms.Field):
    widget = TreeWidget

    def to_python(self, value: Any) -> Any:
        text = str(value or "")
        if len(text) > MOST_BYTES:
            raise ValidationError(_("That is more than a rule may hold."))
        if (tree := _read(text)) is None:
            raise ValidationError(
                _("The conditions could not be read. Reload the page and build them again.")
            )
        return tree

    def has_changed(self, initial: Any, data: Any) -> bool:
        return initial != _read(str(data or ""))


class RowsField(forms.MultipleChoiceField):
    """Ids of brands or markets, of those that the person has."""

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]  # keys, not their text
        return [int(each) for each in super().to_python(value) if each.isdecimal() and len(each) < 19]

    def validate(self, value: list[int]) -> None:
        super().validate([str(each) for each in value])

    def prepare_value(self, value: Any) -> Any:
        return [str(each) for each in value] if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(initial or []) != sorted(self.to_python(data))


class BuiltRuleForm(GovernedForm):
    conditions = TreeField(
        label=_("If"),
        help_text=_(
            "Groups may hold groups, up to five deep. A rule on ad sets or ads is asked of each one by itself."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, model in (("brands", Brand), ("markets", Market)):
            if name in self.fields:
                user = self.request.user if self.request else None
                rows = model.objects.visible_to(user).order_by("code")[:1000]
                kept = model.objects.filter(pk__in=getattr(self.instance, name) or [])
                known = {str(row.pk): str(row) for row in (*rows, *kept)}
                self.fields[name].choices = list(known.items())  # type: ignore[attr-defined]

    def _require_reach(self) -> None:
        """By the scope, stored and new, which `governance.built_rules` asks about."""


# ------------------------------------------------------------------------------------------- pages


@admin.register(BuiltRule)
class BuiltRuleAdmin(GovernedAdmin):
    asks_reason = True
    form = BuiltRuleForm
    empty_hint = _(
        "Without built rules the built-in ones decide. Add one: nothing happens until it is tried and switched on."
    )
    list_display = ("name", "state", "says", "effect_badge", "tried_shown", "changed_by", "updated_at")
    list_filter = ("status", "effect")
    search_fields = ("name", "note", "message")
    fieldsets = (
        (None, {"fields": ("name", "note")}),
        (_("For which tickets"), {"fields": (("brands", "markets"),)}),
        (_("If"), {"fields": ("conditions",)}),
        (_("Then"), {"fields": ("effect", "message", "remedy")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("brands", "markets"):
            widget = forms.SelectMultiple(attrs={"class": "ot-rows", "size": 5})
            return RowsField(
                required=False,
                label=db_field.verbose_name.capitalize(),
                help_text=db_field.help_text,
                widget=widget,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return getattr(obj, "pk", None) is None or services.may_change(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule that has run is switched off; its history must tell what it was."""
        never_ran = obj is None or obj.status == BuiltRule.Status.DRAFT
        return never_ran and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            name: each for name, each in super().get_actions(request).items() if name != "delete_selected"
        }

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in BuiltRule.CONTENT if name in form.cleaned_data}
        services.save_rule(rule=obj, by=request.user, values=values)

    # --- list

    @display(description=_("State"), ordering="status", label={"DRAFT": "info", "ON": "success", "OFF": ""})
    def state(self, row: BuiltRule) -> tuple[str, str]:
        text = gettext("On; a newer version waits") if row.waiting else row.get_status_display()
        return row.status, str(text)

    @admin.display(description=_("If"))
    def says(self, row: BuiltRule) -> str:
        text = rule_trees.sentence(row.conditions)
        return text if len(text) <= 140 else f"{text[:139]}…"

    @display(description=_("Then"), ordering="effect", label={"block": "danger", "warn": "warning"})
    def effect_badge(self, row: BuiltRule) -> tuple[str, str]:
        return row.effect, gettext("Blocks") if row.effect == "block" else gettext("Warns")

    @admin.display(description=_("Tried"))
    def tried_shown(self, row: BuiltRule) -> str:
        if not row.tried:
            return EMPTY
        return gettext("%(hits)s of %(seen)s") % {"hits": row.tried_hits, "seen": row.tried_seen}

    @admin.display(description=_("Revision"), ordering="revision")
    def changed_by(self, row: BuiltRule) -> str:
        return str(row.revision)

    # --- doors of the script and of the buttons

    def get_urls(self) -> list[URLPattern]:
        def door(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"governance_builtrule_{name}")

        return [
            door("offer/", self.offer, "offer"), door("said/", self.said, "said"),
            door("<int:pk>/try/", self.try_out, "try"), door("<int:pk>/on/", self.switch_on, "on"),
            door("<int:pk>/off/", self.switch_off, "off"), door("<int:pk>/restore/", self.restore, "restore"),
            *super().get_urls(),
        ]  # fmt: skip

    def offer(self, request: HttpRequest) -> JsonResponse:
        """Fields that fit a search text, or, with `field`, its choices."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.GET.get("q", "")[:100]
        if "field" not in request.GET:
            return JsonResponse({"found": [described(each) for each in fields_like(text)[:MOST_SHOWN]]})
        known = rule_fields.fields().get(request.GET["field"])
        found = list(known.offer(text, request.user)) if known and "\x00" not in text else []
        return JsonResponse({"found": [{"value": each.value, "label": each.label} for each in found]})

    @method_decorator(require_POST)
    def said(self, request: HttpRequest) -> JsonResponse:
        """The sentence of a tree, or what is wrong with it and where."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.POST.get("conditions", "")
        if len(text) > MOST_BYTES:
            return JsonResponse(
                {"sentence": "", "wrong": [{"at": "", "text": gettext("That is more than a rule may hold.")}]}
            )
        try:
            tree = rule_trees.checked(_read(text))
        except ValidationError as refused:
            wrong = [
                {"at": (each.params or {}).get("at", ""), "text": each.messages[0]}
                for each in refused.error_dict["conditions"]
            ]
            return JsonResponse({"sentence": "", "wrong": wrong})
        return JsonResponse({"sentence": rule_trees.sentence(tree), "wrong": []})

    def _rule(self, request: HttpRequest, pk: int) -> BuiltRule:
        rule: BuiltRule = self.row_or_404(request, str(pk))
        if request.method != "POST":
            raise PermissionDenied
        return rule

    def try_out(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = self._rule(request, pk)
        most = request.POST.get("most", "")
        wanted = int(most) if most.isdecimal() and len(most) < 6 else built_rules.TRIED
        trial = built_rules.try_rule(rule=rule, by=request.user, most=wanted)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": rule, "trial": trial,
            "title": gettext("Trial of “%(rule)s”") % {"rule": rule.name}, "state": rule_context(rule, request),
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/rules/trial.html", context)

    def switch_on(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, services.switch_on, gettext("Switched on: QA asks it from now on."))

    def switch_off(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, services.switch_off, gettext("Switched off: QA asks it no longer."))

    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        given = request.POST.get("version", "")
        version = int(given) if given.isdecimal() and len(given) < 10 else 0

        def take_up(*, rule: BuiltRule, by: Any) -> BuiltRule:
            return services.restore_version(rule=rule, by=by, version=version)

        text = gettext("Taken up again as a draft: try it, then switch it on.")
        return self._act(request, pk, take_up, text)

    def _act(self, request: HttpRequest, pk: int, act: Callable[..., Any], text: str) -> HttpResponse:
        rule = self._rule(request, pk)
        read = request.POST.get("read", "")
        try:
            if read != rule.digest:
                raise ValidationError(
                    _("The rule was changed since you read it. Read it again first."), code="digest_changed"
                )
            act(rule=rule, by=request.user)
        except ValidationError as refused:
            tell(request, refused)
        else:
            messages.success(request, text)
        return HttpResponseRedirect(self.page("change", pk))


def fields_like(text: str) -> list[rule_fields.RuleField]:
    """The house's own first; each word of the text must stand in key, label or group."""
    words = text.casefold().replace("_", " ").split()

    def fits(known: rule_fields.RuleField) -> bool:
        where = f"{known.key} {known.label} {known.group}".casefold().replace("_", " ")
        return all(word in where for word in words)

    return [each for each in rule_fields.fields().values() if fits(each)]


# ------------------------------------------------------------------------------------------ panels


def rule_context(rule: BuiltRule, request: HttpRequest) -> dict[str, Any]:
    return {
        "rule": rule, "sentence": rule_trees.sentence(rule.conditions), "tried": rule.tried, "waiting": rule.waiting,
        "running": rule_trees.sentence(rule.in_force["conditions"]) if rule.in_force else "",
        "mine": request.user.has_perm(services.CHANGE) and services.may_change(request.user, rule),
        "most": built_rules.TRIED,
    }  # fmt: skip


def versions_context(rule: BuiltRule, request: HttpRequest) -> dict[str, Any]:
    """Side by side: each version, what it changed, by whom; the newest first."""
    records = list(rule.history.select_related("history_user").order_by("-history_id")[: VERSIONS_SHOWN + 1])
    older = [*records[1:], None]
    lines = [
        {
            "record": each, "sentence": rule_trees.sentence(each.conditions), "now": each.version == rule.version,
            "changes": [_in_sentences(one, before, each) for one in changes_between(before, each)] if before else [],
        }
        for each, before in list(zip(records, older, strict=True))[:VERSIONS_SHOWN]
    ]  # fmt: skip
    return {**rule_context(rule, request), "versions": lines}


def _in_sentences(change: dict[str, str], before: Any, after: Any) -> dict[str, str]:
    if change["field"] == str(BuiltRule._meta.get_field("conditions").verbose_name):
        return {
            **change,
            "old": rule_trees.sentence(before.conditions),
            "new": rule_trees.sentence(after.conditions),
        }
    if change["field"] == str(BuiltRule._meta.get_field("in_force").verbose_name):
        return {**change, "old": _revision(before.in_force), "new": _revision(after.in_force)}
    return change


def _revision(definition: Any) -> str:
    return gettext("revision %(number)s") % {"number": definition["revision"]} if definition else EMPTY


def register_panels() -> None:
    register(
        "governance.builtrule",
        Panel(_("Try and switch on"), "trafficking/rules/state.html", rule_context, order=10),
    )
    register(
        "governance.builtrule",
        Panel(_("Versions"), "trafficking/rules/versions.html", versions_context, order=20),
    )


register_panels()
