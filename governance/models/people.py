from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.scopes import scope_of


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("'%(name)s' is not an IANA time zone such as Europe/Berlin."), params={"name": name}
        )


class User(AbstractUser):
    """A person. What they may do comes from their groups, where from their grants."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone],
        help_text=_("Times are shown in this zone. Flights are always in the ad account's."),
    )  # fmt: skip

    #: Of the API token that signed this person in, for this request; None: no token, nothing is held back.
    _scopes: frozenset[str] | None = None

    def limit_to(self, scopes: Iterable[str]) -> None:
        """From now on this object may do only what the scopes cover, wherever it is asked."""
        self._scopes = frozenset(scopes)
        self.missed_scopes: set[str] = set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        if not super().has_perm(perm, obj):
            return False
        if self._scopes is None or (scope := scope_of(perm).value) in self._scopes:
            return True
        self.missed_scopes.add(scope)
        return False


class Grant(GovernedModel):
    """A brand × market that a person may see and change."""

    REACH = ("brand_id", "market_id")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants", verbose_name=_("person"))
    brand = models.ForeignKey(
        "governance.Brand", on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("brand"), help_text=_("Empty: every brand."),
    )  # fmt: skip
    market = models.ForeignKey(
        "governance.Market", on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("market"), help_text=_("Empty: every market."),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "brand", "market"], name="grant_once",
                violation_error_message=_("This person already has that grant."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.user}: {self.brand or _('every brand')} × {self.market or _('every market')}"

    def clean(self) -> None:
        same = Grant.objects.filter(user_id=self.user_id, brand_id=self.brand_id, market_id=self.market_id)
        if same.exclude(pk=self.pk).exists():
            raise ValidationError(_("This person already has that grant."))
