"""QA rules that data admins build: IF a tree of conditions THEN block or warn.

What is edited is the working definition; what QA runs is the definition that was switched on (`in_force`). So a
running rule keeps running while its next version is written and tried.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from governance import rule_trees
from governance.access import Reach, reach_of
from governance.governed import GovernedModel, GovernedQuerySet, governed_history


class BuiltRuleQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Rules for everybody's tickets, and those limited to a brand or market of theirs. Rules are hundreds at most:
        their scope lies in JSON, which SQLite can't be asked for, so it is compared here."""
        reach = reach_of(user)
        if reach.everything:
            return self.all()
        if not reach.pairs:
            return self.none()
        rows = BuiltRule.objects.values_list("pk", "brands", "markets")
        return self.filter(pk__in=[pk for pk, brands, markets in rows if _touches(reach, brands, markets)])


def _touches(reach: Reach, brands: list[int], markets: list[int]) -> bool:
    """Some ticket that the rule is for may be theirs."""
    return any(
        (brand is None or not brands or brand in brands)
        and (market is None or not markets or market in markets)
        for brand, market in reach.pairs
    )


class BuiltRule(GovernedModel):
    """One rule: for which tickets, when it says something, and what."""

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        ON = "ON", _("On")
        OFF = "OFF", _("Off")

    class Effect(models.TextChoices):
        BLOCK = "block", _("Block the ticket")
        WARN = "warn", _("Warn only")

    #: What a trial found: facts, written without a new version.
    UNGOVERNED: ClassVar[frozenset[str]] = frozenset(
        {"tried_digest", "tried_at", "tried_by", "tried_by_id", "tried_seen", "tried_hits"}
    )
    DERIVED: ClassVar[frozenset[str]] = frozenset({"revision", "digest"})
    #: What a rule is made of: its definition, copied as a whole when it is switched on or restored.
    CONTENT: ClassVar[tuple[str, ...]] = (
        "name", "note", "brands", "markets", "conditions", "effect", "message", "remedy",
    )  # fmt: skip

    name = models.CharField(
        _("name"), max_length=80, help_text=_("Short: planners see it beside the finding. “No alcohol words in July”.")
    )  # fmt: skip
    note = models.TextField(
        _("note"), blank=True, max_length=2000, help_text=_("Why the rule exists and who asked for it. For data admins only.")
    )  # fmt: skip
    brands = models.JSONField(
        _("brands"), default=list, blank=True, help_text=_("The rule is for tickets of these brands. Empty: all brands.")
    )  # fmt: skip
    markets = models.JSONField(
        _("markets"), default=list, blank=True, help_text=_("The rule is for tickets of these markets. Empty: all markets.")
    )  # fmt: skip
    conditions = models.JSONField(
        _("conditions"), default=rule_trees.empty_tree,
        help_text=_("When it speaks: groups (all, any or none of) of conditions on fields."),
    )  # fmt: skip
    effect = models.CharField(
        _("then"), max_length=8, choices=Effect.choices, default=Effect.BLOCK,
        help_text=_("A blocked ticket can't be approved or deployed; a warning is shown to whoever approves."),
    )  # fmt: skip
    message = models.CharField(
        _("message"), max_length=300, help_text=_("What is wrong, in the planner's words. Shown next to the field.")
    )  # fmt: skip
    remedy = models.CharField(
        _("remedy"), max_length=300, blank=True, help_text=_("What to do about it.")
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.DRAFT, editable=False
    )  # fmt: skip
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    digest = models.CharField(_("digest of the definition"), max_length=64, blank=True, editable=False)
    in_force = models.JSONField(_("definition in force"), null=True, blank=True, editable=False)
    tried_digest = models.CharField(_("definition tried"), max_length=64, blank=True, editable=False)
    tried_at = models.DateTimeField(_("tried"), null=True, blank=True, editable=False)
    tried_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False,
        verbose_name=_("tried by"),
    )  # fmt: skip
    tried_seen = models.PositiveIntegerField(_("tickets tried"), null=True, blank=True, editable=False)
    tried_hits = models.PositiveIntegerField(_("tickets found"), null=True, blank=True, editable=False)

    objects = models.Manager.from_queryset(BuiltRuleQuerySet)()
    history = governed_history(
        excluded_fields=["tried_digest", "tried_at", "tried_by", "tried_seen", "tried_hits"]
    )

    class Meta:
        verbose_name = _("built rule")
        verbose_name_plural = _("built rules")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=models.Q(archived_at__isnull=True), name="built_rule_name_once",
                violation_error_message=_("There is a rule of that name: choose another."),
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ON") | models.Q(in_force__isnull=False), name="built_rule_on_has_definition"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> dict[str, Any]:
        """The working definition."""
        return {name: getattr(self, name) for name in self.CONTENT}

    @property
    def tried(self) -> bool:
        """The definition as it stands has been tried."""
        return bool(self.digest) and self.tried_digest == self.digest

    @property
    def waiting(self) -> bool:
        """The rule is on, and a later version of it is written that is not."""
        return self.status == self.Status.ON and (self.in_force or {}).get("digest") != self.digest

    def clean_scope(self) -> None:
        self.brands = _ids(self.brands, "brands", "governance.Brand")
        self.markets = _ids(self.markets, "markets", "governance.Market")

    def clean(self) -> None:
        self.clean_scope()
        self.conditions = rule_trees.checked(self.conditions)
        if self.status == self.Status.ON and not self.in_force:
            raise ValidationError(
                _("Switch the rule on by its button: nothing is in force yet."), code="not_in_force"
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.full_clean()  # before its digest is taken: values come to their stored form
        now = rule_trees.digest(self.content)
        if self.digest and now != self.digest:
            self.revision += 1
        self.digest = now
        super().save(*args, **kwargs)


def _ids(given: Any, field: str, model: str) -> list[int]:
    """Ids of rows that exist, each once."""
    from django.apps import apps

    if not isinstance(given, list) or any(
        isinstance(each, bool) or not isinstance(each, int) for each in given
    ):
        raise ValidationError({field: ValidationError(_("Choose from the list."), code="not_a_list")})
    known = (
        set(apps.get_model(model).objects.filter(pk__in=given).values_list("pk", flat=True))
        if given
        else set()
    )
    if missing := [each for each in given if each not in known]:
        text = _("%(missing)s is not there any more: take it out.")
        raise ValidationError(
            {field: ValidationError(text, code="unknown", params={"missing": ", ".join(map(str, missing))})}
        )
    return sorted(set(given))
