from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import BudgetType, naming_result
from campaigns.rules import BuiltName, built_name
from governance import naming
from governance.findings import raise_blocking
from governance.governed import GovernedModel, governed_history
from governance.models import NamingConvention
from governance.money import MoneyField
from governance.search_indexes import Way
from trafficking import rules
from trafficking.models.tickets import Ticket
from trafficking.platforms.base import Platform
from trafficking.platforms.registry import platform

GOALS = [
    ("REACH", _("Reach")), ("IMPRESSIONS", _("Impressions")), ("CLICKS", _("Clicks")),
    ("LANDING_PAGE_VIEWS", _("Landing page views")), ("ENGAGEMENT", _("Engagement")),
    ("VIDEO_VIEWS", _("Video views")), ("LEADS", _("Leads")), ("APP_INSTALLS", _("App installs")),
    ("CONVERSIONS", _("Conversions")), ("CONVERSION_VALUE", _("Conversion value")),
]  # fmt: skip
BILLING_EVENTS = [
    ("IMPRESSIONS", _("Impressions")), ("CLICKS", _("Clicks")), ("VIDEO_VIEWS", _("Video views")),
    ("ACTIONS", _("Actions")),
]  # fmt: skip
BID_STRATEGIES = [
    ("LOWEST_COST", _("Lowest cost")), ("COST_CAP", _("Cost cap")), ("BID_CAP", _("Bid cap")),
    ("TARGET_ROAS", _("Target ROAS")),
]  # fmt: skip
CONVERSION_EVENTS = [
    ("PURCHASE", _("Purchase")), ("LEAD", _("Lead")), ("ADD_TO_CART", _("Add to cart")),
    ("INITIATE_CHECKOUT", _("Start of checkout")), ("COMPLETE_REGISTRATION", _("Registration")),
    ("VIEW_CONTENT", _("Content view")), ("SUBSCRIBE", _("Subscription")), ("CONTACT", _("Contact")),
]  # fmt: skip
FORMATS = [
    ("IMAGE", _("Image")), ("VIDEO", _("Video")), ("CAROUSEL", _("Carousel")),
    ("SEARCH_TEXT", _("Search text (responsive search ad)")), ("RESPONSIVE_DISPLAY", _("Responsive display")),
]  # fmt: skip
CALLS_TO_ACTION = [
    ("LEARN_MORE", _("Learn more")), ("SHOP_NOW", _("Shop now")), ("SIGN_UP", _("Sign up")),
    ("DOWNLOAD", _("Download")), ("INSTALL", _("Install")), ("BOOK_NOW", _("Book now")),
    ("CONTACT_US", _("Contact us")), ("APPLY_NOW", _("Apply now")), ("GET_QUOTE", _("Get quote")),
    ("SUBSCRIBE", _("Subscribe")), ("WATCH_MORE", _("Watch more")), ("GET_OFFER", _("Get offer")),
    ("ORDER_NOW", _("Order now")), ("PLAY_GAME", _("Play game")),
]  # fmt: skip


class TicketPart(GovernedModel):
    """A piece of a ticket: changing it raises the ticket's version and takes it back to DRAFT."""

    intent_id = models.UUIDField(
        _("intent"),
        default=uuid.uuid4,
        editable=False,
        help_text=_("The same over all tickets that speak of this object."),
    )
    name = models.CharField(
        _("name"), max_length=200, help_text=_("As people call it; the governed name is built from it.")
    )
    governed_name = models.CharField(_("governed name"), max_length=400, editable=False)
    name_key = models.CharField(max_length=400, editable=False)
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Order within the ticket."))
    config = models.JSONField(
        _("platform settings"), default=dict, blank=True, help_text=_("Options that only this platform has.")
    )
    external_id = models.CharField(_("platform id"), max_length=64, blank=True, editable=False)

    UNGOVERNED = frozenset({"external_id"})
    DERIVED = frozenset({"governed_name", "name_key"})

    class Meta:
        abstract = True

    def owning_ticket(self) -> Ticket:
        raise NotImplementedError

    def known_platform(self) -> Platform | None:
        """Where it will be built; None for a part that no ticket holds yet, which can't be saved."""
        try:
            return platform(self.owning_ticket().channel.platform)
        except ObjectDoesNotExist:
            return None

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.touch_ticket()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            self.touch_ticket()
            return super().delete(*args, **kwargs)

    def touch_ticket(self) -> None:
        """The ticket's own save does it: version, DRAFT, digest gone; refused where it can't be edited."""
        fresh = Ticket.objects.select_related("campaign", "channel", "ad_account").get(
            pk=self.owning_ticket().pk
        )
        fresh.save()
        ticket = self.owning_ticket()
        ticket.version, ticket.status = fresh.version, fresh.status
        ticket.digest, ticket.findings, ticket.updated_at = fresh.digest, fresh.findings, fresh.updated_at


def _name_parts(ticket: Ticket, convention: naming.Convention) -> tuple[dict[str, str], list[Any]]:
    built = naming_result(ticket.campaign, ticket.channel, convention)
    values, findings = ticket.campaign.name_values(ticket.channel, convention)
    return values, [*built.findings, *findings] if not built.name else []


def ad_set_name(ticket: Ticket, name: str, rule: naming.Convention) -> BuiltName:
    """The governed name of an ad set that people call `name`; saved or not."""
    values, findings = _name_parts(ticket, rule)
    part, own = naming.name_part(rule, name, part="ad_set")
    return built_name(rule, "ad_set", {**values, "ad_set": part}, [*findings, *own])


def ad_name(ticket: Ticket, ad_set: str, name: str, format_: str, rule: naming.Convention) -> BuiltName:
    """Likewise of an ad in the ad set that people call `ad_set`."""
    values, findings = _name_parts(ticket, rule)
    ad_set_part, upper = naming.name_part(rule, ad_set, part="ad_set")
    part, own = naming.name_part(rule, name, part="ad")
    values |= {"ad_set": ad_set_part, "ad": part, "format": format_.replace("_", "")}
    return built_name(rule, "ad", values, [*findings, *upper, *own])


class AdSet(TicketPart):
    """An ad set (Meta) or ad group (TikTok, Google): whom to reach, when, and for how much."""

    SEARCHED: ClassVar[dict[str, Way]] = {"governed_name": "PART", "external_id": "WHOLE", "goal": "CHOICE"}

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="ad_sets", verbose_name=_("ticket")
    )
    goal = models.CharField(
        _("goal"), max_length=20, choices=GOALS, blank=True, help_text=_("What the platform optimises for.")
    )
    billing_event = models.CharField(
        _("billing event"),
        max_length=12,
        choices=BILLING_EVENTS,
        blank=True,
        help_text=_("Empty: the usual one for the goal."),
    )
    bid_strategy = models.CharField(
        _("bid strategy"), max_length=16, choices=BID_STRATEGIES, default="LOWEST_COST"
    )
    bid_amount = MoneyField(
        _("bid"),
        null=True,
        blank=True,
        help_text=_("For a cap, in the account's currency; for ROAS the ratio."),
    )
    budget = MoneyField(
        _("budget"),
        null=True,
        blank=True,
        help_text=_("In the account's currency; when the ticket's budget level is ad sets."),
    )
    budget_type = models.CharField(
        _("budget type"), max_length=8, choices=BudgetType.choices, default=BudgetType.LIFETIME
    )
    start_on = models.DateField(_("first day"), null=True, blank=True, help_text=_("Empty: the ticket's."))
    end_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("Included. Empty: the ticket's.")
    )
    dayparts = models.JSONField(
        _("dayparting"), default=list, blank=True,
        help_text=_('Hours in the account\'s time, Monday is 0: [{"day": 0, "start_hour": 8, "end_hour": 20}]. Empty: always.'),
    )  # fmt: skip
    frequency_cap = models.JSONField(
        _("frequency cap"),
        default=dict,
        blank=True,
        help_text=_('{"impressions": 3, "days": 7}. Empty: none.'),
    )
    geo = models.JSONField(
        _("locations"), default=dict, blank=True,
        help_text=_('{"countries": ["US"], "cities": [{"id": "…", "name": "Boston"}], "excluded_countries": []}.'),
    )  # fmt: skip
    languages = models.JSONField(
        _("languages"), default=list, blank=True, help_text=_('ISO 639-1: ["en"]. Empty: all.')
    )
    age_min = models.PositiveSmallIntegerField(_("from age"), null=True, blank=True)
    age_max = models.PositiveSmallIntegerField(
        _("to age"), null=True, blank=True, help_text=_("Empty: no upper end.")
    )
    genders = models.JSONField(
        _("genders"), default=list, blank=True, help_text=_('["FEMALE"], ["MALE"]; empty: all.')
    )
    interests = models.JSONField(
        _("interests"),
        default=list,
        blank=True,
        help_text=_('By the platform\'s id: [{"id": "6003…", "name": "Football"}].'),
    )
    audiences_include = models.JSONField(
        _("audiences in"), default=list, blank=True, help_text=_("The platform's audience ids.")
    )
    audiences_exclude = models.JSONField(
        _("audiences out"), default=list, blank=True, help_text=_("The platform's audience ids.")
    )
    placements = models.JSONField(
        _("placements"), default=list, blank=True, help_text=_("The platform's names; empty: automatic.")
    )
    conversion_event = models.CharField(
        _("conversion event"), max_length=24, choices=CONVERSION_EVENTS, blank=True
    )
    keywords = models.JSONField(
        _("keywords"),
        default=list,
        blank=True,
        help_text=_('For search: [{"text": "ai platform", "match": "PHRASE"}].'),
    )
    negative_keywords = models.JSONField(
        _("negative keywords"), default=list, blank=True, help_text=_("Likewise, excluded.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("ad set")
        verbose_name_plural = _("ad sets")
        ordering = ["ticket", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "name_key"], name="ad_set_name_once", violation_error_message=_(
                "Another ad set of this ticket has that name.")),
            models.UniqueConstraint(fields=["ticket", "intent_id"], name="ad_set_intent_once"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.governed_name or self.name

    def owning_ticket(self) -> Ticket:
        return self.ticket

    def clean_fields(self, exclude: Any = None) -> None:
        if self.ticket_id:
            self.build_name()
        super().clean_fields(exclude=exclude)

    def build_name(self) -> None:
        convention = NamingConvention.in_force_or_none()
        if convention is None:
            raise ValidationError(_("No naming convention is in force."))
        built = ad_set_name(self.ticket, self.name, convention.as_rules())
        raise_blocking(built.findings, self)
        self.governed_name, self.name_key = built.name, naming.name_key(built.name)

    def clean(self) -> None:
        super().clean()
        if on := self.known_platform():
            raise_blocking(rules.ad_set_shape_findings(self, on), self)


class Ad(TicketPart):
    """What people see."""

    SEARCHED: ClassVar[dict[str, Way]] = {
        "governed_name": "PART", "external_id": "WHOLE", "creative_external_id": "WHOLE", "format": "CHOICE",
    }  # fmt: skip

    REACH = ("ad_set__ticket__campaign__brand_id", "ad_set__ticket__campaign__market_id")

    ad_set = models.ForeignKey(AdSet, on_delete=models.CASCADE, related_name="ads", verbose_name=_("ad set"))
    format = models.CharField(_("format"), max_length=20, choices=FORMATS)
    texts = models.JSONField(
        _("texts"), default=list, blank=True, help_text=_('Primary texts: ["Set sail."].')
    )
    headlines = models.JSONField(_("headlines"), default=list, blank=True, help_text=_('["Moana is here"].'))
    descriptions = models.JSONField(
        _("descriptions"), default=list, blank=True, help_text=_("For search, display and links.")
    )
    long_headline = models.CharField(
        _("long headline"), max_length=200, blank=True, help_text=_("Google display and Demand Gen.")
    )
    business_name = models.CharField(
        _("business name"), max_length=100, blank=True, help_text=_("Google: up to 25 characters.")
    )
    call_to_action = models.CharField(_("call to action"), max_length=16, choices=CALLS_TO_ACTION, blank=True)
    landing_page = models.URLField(
        _("landing page"),
        max_length=2000,
        blank=True,
        help_text=_("Without UTM: the convention adds its parameters."),
    )
    display_paths = models.JSONField(
        _("display paths"),
        default=list,
        blank=True,
        help_text=_("Search ads: at most two, 15 characters each."),
    )
    media = models.JSONField(
        _("media"), default=list, blank=True,
        help_text=_('Files of the media library by their content: [{"kind": "IMAGE", "file": "…"}] (copy it from the'
                    ' file\'s page), or in the platform\'s library by its id: [{"kind": "IMAGE", "id": "…"}]. Kinds: IMAGE,'
                    " SQUARE_IMAGE, PORTRAIT_IMAGE, LOGO, VIDEO, YOUTUBE_VIDEO, THUMBNAIL."),
    )  # fmt: skip
    cards = models.JSONField(
        _("cards"), default=list, blank=True,
        help_text=_('Carousel: [{"file": "…", "headline": "…", "description": "…", "landing_page": "https://…"}];'
                    ' "media_id" in place of "file" for one in the platform\'s library.'),
    )  # fmt: skip
    creative_external_id = models.CharField(
        _("platform creative id"), max_length=64, blank=True, editable=False
    )

    UNGOVERNED = frozenset({"external_id", "creative_external_id"})

    history = governed_history()

    class Meta:
        verbose_name = _("ad")
        verbose_name_plural = _("ads")
        ordering = ["ad_set", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["ad_set", "name_key"], name="ad_name_once", violation_error_message=_(
                "Another ad of this ad set has that name.")),
            models.UniqueConstraint(fields=["ad_set", "intent_id"], name="ad_intent_once"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.governed_name or self.name

    def owning_ticket(self) -> Ticket:
        return self.ad_set.ticket

    def clean_fields(self, exclude: Any = None) -> None:
        if self.ad_set_id:
            self.build_name()
        super().clean_fields(exclude=exclude)

    def build_name(self) -> None:
        convention = NamingConvention.in_force_or_none()
        if convention is None:
            raise ValidationError(_("No naming convention is in force."))
        ad_set = self.ad_set
        built = ad_name(ad_set.ticket, ad_set.name, self.name, self.format, convention.as_rules())
        raise_blocking(built.findings, self)
        self.governed_name, self.name_key = built.name, naming.name_key(built.name)

    def clean(self) -> None:
        super().clean()
        if on := self.known_platform():
            raise_blocking(rules.ad_shape_findings(self, on), self)
