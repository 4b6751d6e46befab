from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignChannel
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models import AdAccount, Brand, NamingConvention
from governance.money import MoneyField
from governance.platforms import Platform
from governance.search_indexes import Way
from trafficking.models.tickets import Ticket
from trafficking.platforms.base import Operation


class ApprovalRuleQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> ApprovalRuleQuerySet:
        """Rules for every brand, and those for a brand of theirs."""
        brands = Brand.objects.visible_to(user).values("pk")
        return super().visible_to(user).filter(models.Q(brand=None) | models.Q(brand__in=brands))


class ApprovalRule(GovernedModel):
    """How many people must approve which plans. The most particular rule that fits decides.

    More particular is: brand and platform, then brand, then platform; then the request type; then the higher amount.
    Without any rule one second person approves.
    """

    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand"),
        help_text=_("Empty: every brand."),
    )  # fmt: skip
    platform = models.CharField(
        _("platform"),
        max_length=16,
        choices=Platform.choices,
        blank=True,
        help_text=_("Empty: every platform."),
    )
    request_type = models.CharField(
        _("request"), max_length=10, choices=Ticket.RequestType.choices, blank=True,
        help_text=_("Empty: every request."),
    )  # fmt: skip
    from_amount = MoneyField(
        _("from (USD)"), default=0,
        help_text=_("The rule is for tickets that may spend this much in USD over their whole flight, or more."),
    )  # fmt: skip
    approvers = models.PositiveSmallIntegerField(
        _("approvers"), default=1,
        help_text=_("1 or 2 people, never the one who submitted. 0: no approval, which shows on every such ticket."),
    )  # fmt: skip
    active = models.BooleanField(_("active"), default=True)
    note = models.CharField(
        _("why"), max_length=200, blank=True, help_text=_("Needed where nobody has to approve.")
    )

    objects: ClassVar[Any] = models.Manager.from_queryset(ApprovalRuleQuerySet)()
    history = governed_history()

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ["brand", "platform", "request_type", "from_amount"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "platform", "request_type", "from_amount"], name="approval_rule_once",
                condition=models.Q(archived_at__isnull=True, brand__isnull=False),
                violation_error_message=_("There is a rule for this already: change that one."),
            ),
            models.UniqueConstraint(
                fields=["platform", "request_type", "from_amount"], name="approval_rule_for_all_once",
                condition=models.Q(archived_at__isnull=True, brand__isnull=True),
                violation_error_message=_("There is a rule for this already: change that one."),
            ),
            models.CheckConstraint(condition=models.Q(approvers__lte=2), name="approval_rule_at_most_two",
                                   violation_error_message=_("Ask for 0, 1 or 2 approvers.")),
        ]  # fmt: skip

    def __str__(self) -> str:
        where = [str(self.brand or _("every brand")), self.get_platform_display() or str(_("every platform"))]
        return f"{' · '.join(where)} ≥ {self.from_amount} USD: {self.approvers}"

    def clean(self) -> None:
        super().clean()
        if self.approvers == 0 and not self.note.strip():
            raise ValidationError({"note": _("Say why nobody has to approve.")})
        if self.from_amount is not None and self.from_amount < 0:
            raise ValidationError({"from_amount": _("Enter an amount of zero or more.")})


class Plan(GovernedModel):
    """The operations compiled from a ticket, as they will be sent. Written once, never changed."""

    SEARCHED: ClassVar[dict[str, Way]] = {"digest": "START", "created_at": "SPAN", "platform": "CHOICE"}

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="plans", verbose_name=_("ticket")
    )
    digest = models.CharField(
        _("digest"), max_length=64, help_text=_("sha-256 over everything that would be sent.")
    )
    platform = models.CharField(_("platform"), max_length=16)
    api_version = models.CharField(_("API version"), max_length=16)
    convention = models.ForeignKey(
        NamingConvention, on_delete=models.PROTECT, related_name="+", verbose_name=_("convention")
    )
    operations = models.JSONField(_("operations"), default=list)
    changes = models.JSONField(
        _("changes"),
        default=list,
        blank=True,
        help_text=_("Field by field, before and after: what the approver reads."),
    )
    basis = models.JSONField(
        _("decided on"), default=dict, blank=True,
        help_text=_("Convention, rules, live state and moment of going live that the digest covers."),
    )  # fmt: skip
    approvers_needed = models.PositiveSmallIntegerField(_("approvals needed"), default=1)
    approval_rule = models.ForeignKey(
        ApprovalRule, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("approval rule"), help_text=_("Empty: the house rule of one second person."),
    )  # fmt: skip

    history = governed_history(excluded_fields=["operations", "changes"])

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["ticket", "digest"], name="plan_once")]

    def __str__(self) -> str:
        return self.digest[:12]

    def as_operations(self) -> list[Operation]:
        return [Operation.from_dict(each) for each in self.operations]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ValidationError(_("A plan is never changed; a new one is compiled."))
        super().save(*args, **kwargs)


class Approval(GovernedModel):
    """Somebody's decision on exactly one digest."""

    SEARCHED: ClassVar[dict[str, Way]] = {"comment": "PART", "at": "SPAN", "decision": "CHOICE"}

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    class Decision(models.TextChoices):
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Rejected")
        WAIVED = "WAIVED", _("No approval needed")
        VOIDED = "VOIDED", _("Void: submitted anew")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="approvals", verbose_name=_("ticket")
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="approvals", verbose_name=_("plan"))
    decision = models.CharField(_("decision"), max_length=8, choices=Decision.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    comment = models.TextField(_("comment"), blank=True)

    history = governed_history()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} · {self.by}"

    def clean(self) -> None:
        if self.decision == self.Decision.APPROVED and self.by_id == self.ticket.requested_by_id:
            raise ValidationError(
                _("Whoever submitted a ticket can't approve it: ask a second person."), code="four_eyes"
            )
        if self.decision == self.Decision.WAIVED and self.plan_id and self.plan.approvers_needed:
            raise ValidationError(_("This plan needs an approval."), code="four_eyes")
        if self.plan_id and self.plan.ticket_id != self.ticket_id:
            raise ValidationError(_("That plan belongs to another ticket."))


class PlatformObject(GovernedModel):
    """An object that a platform holds for us, and what was last applied to it. Deploy writes these."""

    SEARCHED: ClassVar[dict[str, Way]] = {
        "name": "PART", "external_id": "WHOLE", "created_at": "SPAN", "object_type": "CHOICE", "status": "CHOICE",
    }  # fmt: skip

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.PROTECT, related_name="objects_held", verbose_name=_("ad account")
    )
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="platform_objects", verbose_name=_("ticket")
    )
    tree = models.ForeignKey(
        CampaignChannel, on_delete=models.PROTECT, related_name="objects_held", verbose_name=_("campaign on channel"),
        help_text=_("All tickets of this campaign on this channel speak of the same objects."),
    )  # fmt: skip
    ref = models.CharField(_("ref"), max_length=120, help_text=_("The object's name within its plan."))
    parent = models.CharField(_("parent's ref"), max_length=120, blank=True)
    object_type = models.CharField(_("type"), max_length=24)
    external_id = models.CharField(_("platform id"), max_length=120)
    name = models.CharField(_("name"), max_length=400, blank=True)
    intent = models.CharField(_("intent"), max_length=36, blank=True)
    api_version = models.CharField(_("API version"), max_length=16)
    applied = models.JSONField(
        _("last applied"), default=dict, blank=True, help_text=_("Field by field, in the platform's words.")
    )
    live = models.JSONField(
        _("as last read"), null=True, blank=True, help_text=_("Field by field; empty: never read.")
    )
    live_at = models.DateTimeField(_("last read"), null=True, blank=True)
    adopted = models.JSONField(
        _("adopted"), default=dict, blank=True,
        help_text=_("Values of the platform that stay until the ticket changes the field: {field: {live, over}}."),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=8, blank=True, choices=[("ACTIVE", _("Active")), ("PAUSED", _("Paused")),
        ("ARCHIVED", _("Archived"))], help_text=_("As the platform has it, when last read."),
    )  # fmt: skip
    applied_status = models.CharField(
        _("status we gave it"), max_length=8, blank=True,
        help_text=_("By our last call, or as a person adopted it; empty: unknown. Against it, drift is seen."),
    )  # fmt: skip
    settled = models.JSONField(
        _("added by the platform"), null=True,
        help_text=_("Fields that nobody applied, as first read after the last call. Empty: not looked at since."),
    )  # fmt: skip
    held_back = models.BooleanField(
        _("held back"),
        default=False,
        help_text=_("Paused on purpose: activating the whole campaign leaves it."),
    )
    ever_active = models.BooleanField(
        _("has been active"), default=False, help_text=_("Undoing a build only archives what never ran.")
    )
    review = models.CharField(
        _("review"), max_length=8, blank=True, choices=[("PENDING", _("In review")), ("APPROVED", _("Approved")),
        ("LIMITED", _("Approved with limits")), ("REJECTED", _("Rejected"))],
    )  # fmt: skip
    review_reasons = models.JSONField(_("the platform's reasons"), default=list, blank=True)
    delivery = models.CharField(_("delivery"), max_length=12, blank=True)

    UNGOVERNED = frozenset({
        "applied", "live", "live_at", "adopted", "status", "held_back", "ever_active", "review", "review_reasons",
        "delivery", "name", "parent", "external_id", "api_version", "ticket", "ticket_id", "applied_status", "settled",
    })  # fmt: skip

    history = governed_history(excluded_fields=["applied", "live", "live_at", "delivery", "settled"])

    class Meta:
        verbose_name = _("platform object")
        verbose_name_plural = _("platform objects")
        ordering = ["-id"]
        constraints = [
            # Meta answers a creative of equal content with the one that it has: two ads may share it
            models.UniqueConstraint(
                fields=["ad_account", "object_type", "external_id"],
                name="platform_object_once",
                condition=~models.Q(object_type__in=["creative", "media"]),
            ),
            models.UniqueConstraint(
                fields=["tree", "ad_account", "ref"],
                name="platform_object_ref_once",
                condition=~models.Q(status="ARCHIVED"),
            ),
        ]
        indexes = [
            models.Index(fields=["object_type", "status"], name="platform_object_standing"),
            models.Index(
                fields=["review"], name="platform_object_reviewed", condition=models.Q(review__in=["PENDING", "LIMITED", "REJECTED"])
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.object_type} {self.external_id}"
