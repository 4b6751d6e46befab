from __future__ import annotations

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models.vocabulary import Brand, Channel, Market
from governance.platforms import Platform, platform_key


def alias_key(text: str) -> str:
    """How aliases are compared: Unicode normal form, without case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Objective(models.TextChoices):
    AWARENESS = "AWARENESS", _("Awareness")
    REACH = "REACH", _("Reach")
    TRAFFIC = "TRAFFIC", _("Traffic")
    ENGAGEMENT = "ENGAGEMENT", _("Engagement")
    VIDEO_VIEWS = "VIDEO_VIEWS", _("Video views")
    LEADS = "LEADS", _("Leads")
    APP_PROMOTION = "APP_PROMOTION", _("App promotion")
    SALES = "SALES", _("Sales")


class AudienceQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> AudienceQuerySet:
        """Those of a person's brands, and those of every brand for whoever has any grant."""
        reach = reach_of(user)
        everyones = Q(brand=None) if reach.everything or reach.pairs else Q(pk__in=[])
        return self.filter(reach.within(self.model.REACH) | everyones)


class Audience(GovernedModel):
    """A named audience of the vocabulary, with each platform's own ids for it."""

    REACH = ("brand_id", None)

    class Gender(models.TextChoices):
        ANY = "ANY", _("Any")
        FEMALE = "FEMALE", _("Female")
        MALE = "MALE", _("Male")

    name = models.CharField(_("name"), max_length=120, help_text=_("As plans call it."))
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand"),
        help_text=_("Empty: for every brand."),
    )  # fmt: skip
    age_min = models.PositiveSmallIntegerField(_("from age"), null=True, blank=True)
    age_max = models.PositiveSmallIntegerField(
        _("to age"), null=True, blank=True, help_text=_("Empty: no upper end.")
    )
    gender = models.CharField(_("gender"), max_length=6, choices=Gender.choices, default=Gender.ANY)
    interests = models.JSONField(
        _("interests"), default=dict, blank=True,
        help_text=_('By platform: {"meta": [{"id": "6003…", "name": "Football"}], "tiktok": […]}.'),
    )  # fmt: skip
    audiences_include = models.JSONField(
        _("audiences in"),
        default=dict,
        blank=True,
        help_text=_('The platform\'s audience ids: {"meta": ["2384…"]}.'),
    )
    audiences_exclude = models.JSONField(
        _("audiences out"), default=dict, blank=True, help_text=_("Likewise, excluded.")
    )

    objects = models.Manager.from_queryset(AudienceQuerySet)()
    history = governed_history()

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name"], name="audience_name_once")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for name in ("interests", "audiences_include", "audiences_exclude"):
            setattr(self, name, _by_platform(name, getattr(self, name)))
        if self.age_min and self.age_max and self.age_max < self.age_min:
            raise ValidationError({"age_max": _("The upper age is below the lower one.")})


def _by_platform(name: str, value: Any) -> dict[str, Any]:
    """{"google": […]} -> {"google_ads": […]}; ValidationError for what is not a list for each platform."""
    known = ", ".join(Platform.values)
    if not isinstance(value, dict) or any(not isinstance(ids, list) for ids in value.values()):
        raise ValidationError({name: _('Write a list for each platform: {"meta": […]}.')})
    keys = {written: platform_key(written) for written in value}
    for written, key in keys.items():
        if key is None:
            params = {"text": written, "known": known}
            error = ValidationError(_("'%(text)s' is not a platform; use %(known)s."), params=params)
            raise ValidationError({name: error})
    if len(set(keys.values())) < len(keys):
        raise ValidationError({name: _("A platform is there twice.")})
    return {str(keys[written]): ids for written, ids in value.items()}


class AliasQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> AliasQuerySet:
        """An alias tells of the brand or market that it leads to."""
        brands, markets = (model.objects.visible_to(user).values("pk") for model in (Brand, Market))
        rows = super().visible_to(user)
        return rows.filter(
            models.Q(brand=None) | models.Q(brand__in=brands),
            models.Q(market=None) | models.Q(market__in=markets),
        )


class Alias(GovernedModel):
    """What a plan calls something -> what the vocabulary calls it, or 'not trafficked here'."""

    class Kind(models.TextChoices):
        ADVERTISER = "ADVERTISER", _("Advertiser → brand")
        VENDOR = "VENDOR", _("Vehicle, partner or product → channel")
        OBJECTIVE = "OBJECTIVE", _("Objective → objective")
        LOCATION = "LOCATION", _("Location → market")
        AUDIENCE = "AUDIENCE", _("Audience → audience")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    text = models.CharField(
        _("in the plan"), max_length=200,
        help_text=_("As the plan writes it. A vendor may be 'vehicle / product', such as 'Google / Search Ads'."),
    )  # fmt: skip
    text_key = models.CharField(max_length=200, editable=False)
    brand = models.ForeignKey(
        Brand,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="aliases",
        verbose_name=_("brand"),
    )
    channel = models.ForeignKey(
        Channel,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="aliases",
        verbose_name=_("channel"),
    )
    market = models.ForeignKey(
        Market,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="aliases",
        verbose_name=_("market"),
    )
    objective = models.CharField(_("objective"), max_length=16, choices=Objective.choices, blank=True)
    audience = models.ForeignKey(
        Audience,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="aliases",
        verbose_name=_("audience"),
    )
    not_trafficked = models.BooleanField(
        _("not trafficked here"), default=False,
        help_text=_("Lines with this vendor are reported and left to others: LinkedIn, The Trade Desk."),
    )  # fmt: skip

    objects = models.Manager.from_queryset(AliasQuerySet)()
    history = governed_history()

    #: kind -> the field that holds its target
    TARGETS = {
        "ADVERTISER": "brand", "VENDOR": "channel", "OBJECTIVE": "objective", "LOCATION": "market", "AUDIENCE": "audience",
    }  # fmt: skip

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["kind", "text"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "text_key"], name="alias_once",
                violation_error_message=_("This text already has an alias of that kind."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.text} → {self.target or _('not trafficked here')}"

    @property
    def target(self) -> Any:
        return getattr(self, self.TARGETS[self.kind]) or None

    def clean_fields(self, exclude: Any = None) -> None:
        self.text_key = alias_key(self.text)
        super().clean_fields(exclude=exclude)

    def clean(self) -> None:
        wanted = self.TARGETS.get(self.kind)
        if wanted is None:
            return
        others = [name for name in self.TARGETS.values() if name != wanted and getattr(self, name)]
        if others:
            raise ValidationError({others[0]: _("This kind of alias does not lead there.")})
        if self.not_trafficked and self.kind != self.Kind.VENDOR:
            raise ValidationError({"not_trafficked": _("Only a vendor can be 'not trafficked here'.")})
        if bool(self.target) == self.not_trafficked:
            raise ValidationError(
                {wanted: _("Choose where it leads, or tick 'not trafficked here': one of the two.")}
            )
