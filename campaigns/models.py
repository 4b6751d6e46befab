"""Campaigns with their governed names, and the media plans that they came from."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns import rules
from governance import naming
from governance.access import reach_of
from governance.findings import Finding, raise_blocking
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models import Brand, Channel, Market, NamingConvention
from governance.models.aliases import Objective
from governance.models.vocabulary import validate_currency
from governance.money import MoneyField
from governance.search_indexes import Way


class BudgetType(models.TextChoices):
    DAILY = "DAILY", _("Daily")
    LIFETIME = "LIFETIME", _("Lifetime")


class Campaign(GovernedModel):
    """What a planner wants to run for a brand in a market; one ticket per channel builds it."""

    SEARCHED: ClassVar[dict[str, Way]] = {"name": "PART", "objective": "CHOICE"}

    REACH = ("brand_id", "market_id")

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        ACTIVE = "ACTIVE", _("Active")
        PAUSED = "PAUSED", _("Paused")
        COMPLETED = "COMPLETED", _("Completed")

    name = models.CharField(
        _("name"),
        max_length=200,
        help_text=_("As people call it: Moana Launch. The governed names are built from it."),
    )
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("brand")
    )
    market = models.ForeignKey(
        Market, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("market")
    )
    channels = models.ManyToManyField(
        Channel, through="CampaignChannel", related_name="campaigns", verbose_name=_("channels")
    )
    objective = models.CharField(
        _("objective"),
        max_length=16,
        choices=Objective.choices,
        help_text=_("What it is for; each platform has its own word."),
    )
    budget = MoneyField(
        _("budget"),
        help_text=_("In the currency beside it, such as 1000.50. What media may cost, fees aside."),
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency], help_text=_("ISO 4217: USD, EUR, JPY.")
    )
    budget_type = models.CharField(
        _("budget type"), max_length=8, choices=BudgetType.choices, default=BudgetType.LIFETIME,
        help_text=_("Lifetime: for the whole flight. Daily: each day."),
    )  # fmt: skip
    start_on = models.DateField(_("first day"), help_text=_("In the ad account's time zone."))
    end_on = models.DateField(_("last day"), help_text=_("Included."))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns",
        verbose_name=_("owner"), help_text=_("Who answers questions about it."),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(end_on__gte=models.F("start_on")), name="campaign_ends_after_start",
                                   violation_error_message=_("The last day is before the first day.")),
            models.CheckConstraint(condition=models.Q(budget__gt=0), name="campaign_budget_positive",
                                   violation_error_message=_("The budget must be more than zero.")),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["brand", "market", "status"]), models.Index(fields=["start_on"]),
            models.Index(fields=["status", "-id"], name="campaign_status_newest"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def deployed(self) -> bool:
        """Something of it is known to a platform (trafficking marks the channel when the first id comes back)."""
        return self.channel_names.filter(deployed_at__isnull=False).exists()

    def clean(self) -> None:
        super().clean()
        if self.market_id:
            raise_blocking(self.findings(), self)

    def findings(self) -> list[Finding]:
        convention = NamingConvention.in_force_or_none()
        today = self.market.today() if self._state.adding or self._flight_changed() else None
        return [
            *rules.name_findings(self.name or "", convention.as_rules() if convention else None),
            *rules.flight_findings(self.start_on, self.end_on, today=today),
            *rules.budget_findings(self.budget, self.currency or ""),
        ]

    def _flight_changed(self) -> bool:
        return (
            not type(self)
            ._base_manager.filter(pk=self.pk, start_on=self.start_on, end_on=self.end_on)
            .exists()
        )

    def name_values(
        self, channel: Channel, convention: naming.Convention
    ) -> tuple[dict[str, str], list[Finding]]:
        """The parts of this campaign's name on `channel`."""
        return rules.campaign_name_values(
            convention, name=self.name, brand=self.brand.code, market=self.market.code, channel=channel.code,
            objective=self.objective, start_on=self.start_on,
        )  # fmt: skip


class CampaignChannel(GovernedModel):
    """A campaign's governed name on one channel, with the convention that made it."""

    SEARCHED: ClassVar[dict[str, Way]] = {"governed_name": "PART"}

    REACH = ("campaign__brand_id", "campaign__market_id")
    UNGOVERNED = frozenset({"deployed_at"})
    DERIVED = frozenset({"governed_name", "name_key", "parts", "convention"})

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="channel_names", verbose_name=_("campaign")
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="+", verbose_name=_("channel")
    )
    governed_name = models.CharField(
        _("governed name"), max_length=400, editable=False, help_text=_("Built by the naming convention.")
    )
    name_key = models.CharField(max_length=400, unique=True, editable=False)
    parts = models.JSONField(_("parts"), default=dict, editable=False)
    convention = models.ForeignKey(
        NamingConvention,
        on_delete=models.PROTECT,
        related_name="names",
        editable=False,
        verbose_name=_("convention"),
    )
    deployed_at = models.DateTimeField(_("first deployed"), null=True, editable=False)

    history = governed_history()

    class Meta:
        verbose_name = _("governed name")
        verbose_name_plural = _("governed names")
        ordering = ["governed_name"]
        constraints = [models.UniqueConstraint(fields=["campaign", "channel"], name="campaign_channel_once")]

    def __str__(self) -> str:
        return self.governed_name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused where a ticket holds the name: names stay reserved, also after cancellation."""
        if self.campaign.tickets.filter(channel_id=self.channel_id).exists():  # type: ignore[attr-defined]
            text = _("%(channel)s has a ticket; cancel nothing by taking the channel away.")
            error = ValidationError(text, code="name_held", params={"channel": self.channel.code})
            raise ValidationError({"channels": error})
        return super().delete(*args, **kwargs)

    def clean_fields(self, exclude: Any = None) -> None:
        if self.deployed_at is None and self.campaign_id and self.channel_id:
            self._build_name()
        super().clean_fields(exclude=exclude)

    def _build_name(self) -> None:
        convention = NamingConvention.in_force_or_none()
        if convention is None:
            raise ValidationError(
                _("No naming convention is in force. A data admin puts one in force first.")
            )
        built = naming_result(self.campaign, self.channel, convention.as_rules())
        raise_blocking(built.findings, self)
        self.governed_name, self.parts = built.name, built.parts
        self.name_key = naming.name_key(built.name)
        self.convention = convention

    def clean(self) -> None:
        super().clean()
        if self.channel_id and self._state.adding and not self.channel.active:
            text = _("%(channel)s is inactive. Choose an active channel.")
            raise ValidationError(
                {
                    "channel": ValidationError(
                        text, code="channel_inactive", params={"channel": self.channel.code}
                    )
                }
            )
        self._refuse_taken_name()

    def _refuse_taken_name(self) -> None:
        other = (
            CampaignChannel.objects.filter(name_key=self.name_key)
            .exclude(pk=self.pk)
            .select_related("campaign")
            .first()
        )
        if other is None:
            return
        suggestion = f"{self.campaign.name} 2"
        params = {"name": self.governed_name, "other": other.campaign.name, "suggestion": suggestion}
        finding = Finding("naming.taken", "name", params=params)
        raise ValidationError(f"{finding.message} {finding.remedy}", code=finding.code)

    def validate_unique(self, exclude: Any = None) -> None:
        # name_key has its own message, which names the campaign that holds it
        super().validate_unique(exclude={*(exclude or ()), "name_key"})


def naming_result(campaign: Campaign, channel: Channel, convention: naming.Convention) -> rules.BuiltName:
    values, findings = campaign.name_values(channel, convention)
    return rules.built_name(convention, "campaign", values, findings)


class MediaPlanQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Plans with a line that is the person's, and those that they imported themselves."""
        if reach_of(user).everything:
            return self
        mine = MediaPlanLine.objects.visible_to(user).values("plan_id")
        return self.filter(models.Q(pk__in=mine) | models.Q(imported_by_id=user.pk))


class MediaPlan(GovernedModel):
    """A plan as it came: the file's hash, and what was read from it."""

    class Format(models.TextChoices):
        OPEN_MEDIA_PLAN = "OMP", _("Open Media Plan")
        TABLE = "TABLE", _("CSV or XLSX")

    plan_key = models.CharField(
        _("plan id"), max_length=200, unique=True,
        help_text=_("The plan's own id: importing it again updates instead of adding."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=200, blank=True)
    format = models.CharField(_("format"), max_length=5, choices=Format.choices)
    schema_version = models.CharField(_("schema version"), max_length=12, blank=True)
    file_name = models.CharField(_("file"), max_length=255)
    file_sha256 = models.CharField(
        _("file sha-256"), max_length=64, help_text=_("Of the file as it was received.")
    )
    parameters = models.JSONField(_("import options"), default=dict, blank=True)
    reported = models.JSONField(
        _("reported lines"),
        default=list,
        blank=True,
        help_text=_("Lines that are not trafficked here, and why."),
    )
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("imported by"),
    )

    objects = models.Manager.from_queryset(MediaPlanQuerySet)()
    history = governed_history()

    class Meta:
        verbose_name = _("media plan")
        verbose_name_plural = _("media plans")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or self.plan_key


class MediaPlanLine(GovernedModel):
    """One line of a plan as imported, and the campaign that it became."""

    SEARCHED: ClassVar[dict[str, Way]] = {"line_key": "PART"}

    REACH = ("campaign__brand_id", "campaign__market_id")

    plan = models.ForeignKey(
        MediaPlan, on_delete=models.CASCADE, related_name="lines", verbose_name=_("plan")
    )
    line_key = models.CharField(_("line id"), max_length=200, help_text=_("The plan's own id of this line."))
    position = models.PositiveIntegerField(_("row"), help_text=_("Where it stands in the file."))
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="plan_lines", verbose_name=_("campaign")
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="+", verbose_name=_("channel")
    )
    ad_set_intent = models.UUIDField(
        _("ad set"), null=True, editable=False, help_text=_("The ad set that it became.")
    )
    cost_media = MoneyField(_("media cost"), help_text=_("What may be spent, in the plan's currency."))
    cost_currency = models.CharField(_("plan currency"), max_length=3)
    rate = models.DecimalField(
        _("rate used"),
        max_digits=18,
        decimal_places=10,
        default=1,
        help_text=_("Account currency for one of the plan's."),
    )
    rate_source = models.CharField(
        _("rate from"), max_length=120, blank=True, help_text=_("The plan, or a dated rate.")
    )
    source = models.JSONField(_("as imported"), default=dict)
    content_hash = models.CharField(
        max_length=64, editable=False, help_text=_("To see whether the line changed.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("media plan line")
        verbose_name_plural = _("media plan lines")
        ordering = ["plan", "position"]
        constraints = [models.UniqueConstraint(fields=["plan", "line_key"], name="plan_line_once")]

    def __str__(self) -> str:
        return f"{self.line_key}"


from campaigns.import_runs import ColumnMapping, ImportRun  # noqa: E402, F401  (Django finds models here)
