from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance import naming
from governance.findings import raise_blocking
from governance.governed import GovernedModel, governed_history

DEFAULT_CAMPAIGN = "{brand}_{market}_{channel}_{year}_{name}"


def default_utm() -> dict[str, str]:
    return {
        "utm_source": "{platform}", "utm_medium": "paid", "utm_campaign": "{campaign_name}",
        "utm_content": "{ad_name}", "utm_id": "{campaign_id}",
    }  # fmt: skip


def default_part_lengths() -> dict[str, int]:
    return {"name": 60, "ad_set": 60, "ad": 60}


class NamingConvention(GovernedModel):
    """How names are built and read back, on each level. Versions stay: every name keeps the one that made it."""

    number = models.PositiveIntegerField(
        _("version number"), unique=True, help_text=_("Counts up; 1 is the first.")
    )
    in_force = models.BooleanField(
        _("in force"),
        default=False,
        help_text=_("The one that builds new names. Putting it in force ends the other."),
    )
    separator = models.CharField(
        _("separator"), max_length=3, default="_", help_text=_("Stands between the parts.")
    )
    allowed_characters = models.CharField(
        _("allowed characters"), max_length=60, default="A-Za-z0-9-",
        help_text=_("What a part may be made of, like A-Za-z0-9- ; never the separator."),
    )  # fmt: skip
    transliterate = models.BooleanField(
        _("transliterate other scripts"), default=True,
        help_text=_("On: Моана becomes Moana. Off: refused, with that as the suggestion."),
    )  # fmt: skip
    campaign_pattern = models.CharField(_("campaign pattern"), max_length=200, default=DEFAULT_CAMPAIGN)
    ad_set_pattern = models.CharField(
        _("ad set pattern"), max_length=200, default=DEFAULT_CAMPAIGN + "_{ad_set}"
    )
    ad_pattern = models.CharField(
        _("ad pattern"), max_length=200, default=DEFAULT_CAMPAIGN + "_{ad_set}_{ad}"
    )
    campaign_max_length = models.PositiveSmallIntegerField(_("campaign length"), default=120)
    ad_set_max_length = models.PositiveSmallIntegerField(_("ad set length"), default=200)
    ad_max_length = models.PositiveSmallIntegerField(_("ad length"), default=255)
    part_lengths = models.JSONField(
        _("part lengths"), default=default_part_lengths, blank=True,
        help_text=_('The most characters of each free part: {"name": 60, "ad_set": 60, "ad": 60}.'),
    )  # fmt: skip
    utm_parameters = models.JSONField(
        _("UTM parameters"), default=default_utm, blank=True,
        help_text=_("Added to landing pages. {platform}, {campaign_name}, {ad_set_name}, {ad_name} are filled in;"
                    " {campaign_id}, {ad_set_id}, {ad_id} become the platform's click macros."),
    )  # fmt: skip
    note = models.CharField(
        _("why"), max_length=200, blank=True, help_text=_("What changed from the version before.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("naming convention")
        verbose_name_plural = _("naming conventions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["in_force"], condition=models.Q(in_force=True), name="one_convention_in_force",
                violation_error_message=_("Another convention is in force; use the action 'put in force'."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"v{self.number} · {self.campaign_pattern}"

    @classmethod
    def in_force_or_none(cls) -> NamingConvention | None:
        return cls.objects.filter(in_force=True).first()

    def as_rules(self) -> naming.Convention:
        return naming.Convention(
            number=self.number or 0,
            separator=self.separator,
            allowed=self.allowed_characters,
            transliterate=self.transliterate,
            patterns={level: getattr(self, f"{level}_pattern") for level in naming.LEVELS},
            max_lengths={level: getattr(self, f"{level}_max_length") or 0 for level in naming.LEVELS},
            part_lengths=self.part_lengths or {},
        )

    def clean(self) -> None:
        self._refuse_rewriting()
        _check_mapping(self.utm_parameters, "utm_parameters", str)
        self.check_part_lengths()
        raise_blocking(naming.convention_findings(self.as_rules(), _codes_in_use()), self)

    def check_part_lengths(self) -> None:
        _check_mapping(self.part_lengths, "part_lengths", int)

    def _refuse_rewriting(self) -> None:
        """A version that made names is history: a new number is needed to change it."""
        if self._state.adding or not self.names.exists():
            return
        before = type(self)._base_manager.get(pk=self.pk)
        fixed = ("separator", "allowed_characters", *(f"{level}_pattern" for level in naming.LEVELS))
        changed = [name for name in fixed if getattr(before, name) != getattr(self, name)]
        if changed:
            text = _("Names were made by this version. Add a new version to change it.")
            raise ValidationError(dict.fromkeys(changed, text))


def _check_mapping(value: Any, field: str, kind: type) -> None:
    if not isinstance(value, dict) or any(not isinstance(each, kind) for each in value.values()):
        raise ValidationError({field: _("Write an object of names and values, as in the example.")})


def _codes_in_use() -> list[str]:
    from governance.models.vocabulary import Brand, Channel, Market

    return [
        code for model in (Brand, Market, Channel) for code in model.objects.values_list("code", flat=True)
    ]
