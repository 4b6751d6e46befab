from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models import BudgetType, Campaign, CampaignChannel
from governance.findings import Finding, raise_blocking
from governance.governed import GovernedModel, governed_history
from governance.models import AdAccount, Channel
from governance.money import MoneyField
from governance.search_indexes import Way
from trafficking import rules
from trafficking.platforms.registry import platform
from trafficking.statuses import EDITABLE, GUARDED, Status


class Ticket(GovernedModel):
    """A trafficking request: one campaign on one channel, to be built in one ad account."""

    SEARCHED: ClassVar[dict[str, Way]] = {"external_id": "WHOLE", "request_type": "CHOICE"}

    REACH = ("campaign__brand_id", "campaign__market_id")

    class RequestType(models.TextChoices):
        CREATE = "CREATE", _("Build a new campaign")
        UPDATE = "UPDATE", _("Change what is built")
        ADD = "ADD", _("Add ad sets or ads")
        PAUSE = "PAUSE", _("Pause")
        ACTIVATE = "ACTIVATE", _("Activate")
        ARCHIVE = "ARCHIVE", _("Archive")
        RENAME = "RENAME", _("Rename")

    #: They hold a whole tree of their own, which is compared with what the platform has.
    CONTENT = (RequestType.CREATE, RequestType.UPDATE, RequestType.ADD, RequestType.RENAME)

    class BudgetLevel(models.TextChoices):
        CAMPAIGN = "CAMPAIGN", _("Campaign (the platform spreads it)")
        AD_SET = "AD_SET", _("Ad sets (each its own)")

    class Political(models.TextChoices):
        UNSTATED = "UNSTATED", _("Not stated yet")
        CONTAINS = "CONTAINS", _("Contains political advertising")
        DOES_NOT_CONTAIN = "DOES_NOT_CONTAIN", _("No political advertising")

    class SpecialCategory(models.TextChoices):
        HOUSING = "HOUSING", _("Housing")
        EMPLOYMENT = "EMPLOYMENT", _("Employment")
        FINANCIAL = "FINANCIAL_PRODUCTS_SERVICES", _("Financial products and services")
        POLITICS = "ISSUES_ELECTIONS_POLITICS", _("Social issues, elections or politics")
        GAMBLING = "ONLINE_GAMBLING_AND_GAMING", _("Online gambling and gaming")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("campaign")
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("channel")
    )
    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("ad account"),
        help_text=_("One that serves this brand in this market."),
    )  # fmt: skip
    request_type = models.CharField(
        _("request"), max_length=10, choices=RequestType.choices, default=RequestType.CREATE
    )
    base = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followers", editable=False,
        verbose_name=_("follows"), help_text=_("The ticket whose tree this one started from."),
    )  # fmt: skip
    scope = models.JSONField(
        _("only these"), default=list, blank=True,
        help_text=_("Intents of the ad sets and ads to pause, activate or archive. Empty: the whole campaign."),
    )  # fmt: skip
    go_live_at = models.DateTimeField(
        _("go live at"), null=True, blank=True,
        help_text=_("Activate: the moment, in the ad account's time zone. Empty: as soon as it is deployed."),
    )  # fmt: skip
    request_note = models.TextField(
        _("what was asked"),
        blank=True,
        help_text=_("Who asked for it and why: it stands on the QA document."),
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    budget_level = models.CharField(
        _("budget level"), max_length=8, choices=BudgetLevel.choices, default=BudgetLevel.AD_SET,
        help_text=_("Where the budget is set on the platform: never implied."),
    )  # fmt: skip
    budget = MoneyField(
        _("campaign budget"),
        null=True,
        blank=True,
        help_text=_("In the account's currency; only at campaign level."),
    )
    budget_type = models.CharField(
        _("budget type"), max_length=8, choices=BudgetType.choices, default=BudgetType.LIFETIME
    )
    bid_strategy = models.CharField(
        _("bid strategy"), max_length=16, choices=[("LOWEST_COST", _("Lowest cost")), ("COST_CAP", _("Cost cap")),
        ("BID_CAP", _("Bid cap")), ("TARGET_ROAS", _("Target ROAS"))], default="LOWEST_COST",
        help_text=_("Used at campaign level; ad sets have their own."),
    )  # fmt: skip
    bid_amount = MoneyField(
        _("bid"),
        null=True,
        blank=True,
        help_text=_("For a cap, in the account's currency; for ROAS the ratio."),
    )
    start_on = models.DateField(_("first day"), help_text=_("In the ad account's time zone."))
    end_on = models.DateField(
        _("last day"), help_text=_("Included, to its last second in the account's zone.")
    )
    special_ad_categories = models.JSONField(
        _("special ad categories"), null=True, blank=True,
        help_text=_("A person states them: [] for none, or for example [\"HOUSING\"]. Empty means that nobody has yet."),
    )  # fmt: skip
    special_ad_category_countries = models.JSONField(
        _("special category countries"),
        default=list,
        blank=True,
        help_text=_('ISO codes: ["US"]. Needed with a category.'),
    )
    political = models.CharField(
        _("political advertising"), max_length=16, choices=Political.choices, default=Political.UNSTATED,
        help_text=_("A person states it; the EU requires it."),
    )  # fmt: skip
    payload_config = models.JSONField(
        _("platform settings"), default=dict, blank=True,
        help_text=_("Options that only this platform has, checked against its reference."),
    )  # fmt: skip
    budget_source = models.JSONField(
        _("where the budget comes from"), default=dict, blank=True, editable=False,
        help_text=_("Original amount, currency, rate and its date, where the plan was in another currency."),
    )  # fmt: skip
    findings = models.JSONField(_("findings"), default=list, blank=True, editable=False)
    digest = models.CharField(_("plan digest"), max_length=64, blank=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False,
        verbose_name=_("submitted by"),
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("owner"),
    )
    external_id = models.CharField(_("platform campaign id"), max_length=64, blank=True, editable=False)

    UNGOVERNED = frozenset({"external_id"})
    DERIVED = frozenset({"status", "digest", "findings"})

    history = governed_history()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]
        permissions = [
            ("approve_ticket", _("Can approve a plan")),
            ("deploy_ticket", _("Can deploy an approved ticket")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "channel"], name="one_create_ticket", violation_error_message=_(
                    "This campaign already has a ticket on this channel."),
                condition=models.Q(request_type="CREATE") & ~models.Q(status="CANCELLED"),
            ),
            models.UniqueConstraint(
                fields=["campaign", "channel"], name="one_open_change", violation_error_message=_(
                    "Another ticket that changes this campaign is still open: finish or cancel that first."),
                condition=models.Q(request_type__in=["UPDATE", "ADD", "RENAME"]) & ~models.Q(
                    status__in=["CANCELLED", "TRAFFICKED_SUCCESS"]),
            ),
            models.CheckConstraint(condition=models.Q(end_on__gte=models.F("start_on")), name="ticket_ends_after_start",
                                   violation_error_message=_("The last day is before the first day.")),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["status", "-id"]), models.Index(fields=["ad_account", "status"]),
            models.Index(fields=["start_on"], name="ticket_start"),
            models.Index(fields=["owner", "status"], name="ticket_owner_status"),
            models.Index(fields=["status", "-updated_at"], name="ticket_status_moved"),  # columns of the board
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.campaign} · {self.channel.code}"

    @property
    def governed_name(self) -> str:
        """The campaign's name on this channel, "" before it has one."""
        found = CampaignChannel.objects.filter(
            campaign_id=self.campaign_id, channel_id=self.channel_id
        ).first()
        return found.governed_name if found else ""

    def tree_objects(self) -> models.QuerySet[Any]:
        """What the platform holds, or has held, of this campaign on this channel in this account."""
        from trafficking.models.plans import PlatformObject

        return PlatformObject.objects.filter(
            tree__campaign_id=self.campaign_id, tree__channel_id=self.channel_id, ad_account_id=self.ad_account_id
        )  # fmt: skip

    @property
    def editable(self) -> bool:
        return self.status in EDITABLE

    @property
    def all_findings(self) -> list[Finding]:
        return [Finding.from_dict(each) for each in self.findings]

    def clean(self) -> None:
        super().clean()
        if not (self.campaign_id and self.channel_id and self.ad_account_id):
            return
        raise_blocking(self._malformed(), self)
        if self.status in GUARDED:
            self._refuse_unready()

    def _malformed(self) -> list[Finding]:
        return [
            *self._account_findings(),
            *self._built_before(),
            *rules.request_findings(self),
            *rules.declaration_findings(self.special_ad_categories, self.special_ad_category_countries),
            *rules.ticket_budget_findings(self.budget_level, self.budget),
            *rules.config_findings(platform(self.channel.platform), "campaign", self.payload_config),
        ]

    def _built_before(self) -> list[Finding]:
        """What a cancelled ticket left on the platform bears the name that this one would use again."""
        if not self._state.adding or self.request_type != self.RequestType.CREATE:
            return []
        if not Ticket.objects.filter(
            ~models.Q(platform_objects__status="ARCHIVED"),
            campaign_id=self.campaign_id, channel_id=self.channel_id, platform_objects__isnull=False,
        ).exists():  # fmt: skip
            return []
        params = {"campaign": self.campaign.name, "channel": self.channel.code}
        return [Finding("ticket.built_before", "channel", params=params)]

    def _account_findings(self) -> list[Finding]:
        account, campaign = self.ad_account, self.campaign
        serves = account.serves.filter(brand_id=campaign.brand_id, market_id=campaign.market_id).exists()
        return rules.account_findings(
            account_platform=account.platform, channel_platform=self.channel.platform, account=account.name, serves=serves,
            brand=campaign.brand.code, market=campaign.market.code, on_channel=campaign.channel_names.filter(
                channel_id=self.channel_id).exists(), channel=self.channel.code,
        )  # fmt: skip

    def _refuse_unready(self) -> None:
        from trafficking import qa

        report = qa.check_ticket(self)
        raise_blocking(report.findings, self)
        if self.status in (Status.APPROVED, Status.QUEUED) and report.digest != self.digest:
            raise_blocking([Finding("qa.plan_changed")], self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.status = Status.DRAFT
        elif "status" in (kwargs.get("update_fields") or ()):
            raise ValidationError(_("A status moves only through a transition."), code="status_by_transition")
        else:
            self._return_to_draft()
        super().save(*args, **kwargs)

    def _return_to_draft(self) -> None:
        """Any edit voids QA and approval; once a deployment has begun the ticket is a fact and can't be edited.

        What is edited is asked of the database: a status set on the object in memory moves nothing.
        """
        self.status = type(self)._base_manager.values_list("status", flat=True).get(pk=self.pk)
        if self.status not in EDITABLE:
            text = _("A ticket that is %(status)s can't be edited.")
            raise ValidationError(text, code="not_editable", params={"status": self.get_status_display()})
        self.status, self.digest, self.findings = Status.DRAFT, "", []
