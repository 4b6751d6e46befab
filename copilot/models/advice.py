"""What a model said about a ticket, kept with the version of the ticket that it was about."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from trafficking.models import Ticket


class ReachedByTicket(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(reach_of(user).within(Advice.REACH))


class Advice(models.Model):
    """One answer of a model, its quotes checked against the documents. Advice without a model is made when it is read."""

    REACH: ClassVar[tuple[str | None, str | None]] = (
        "ticket__campaign__brand_id",
        "ticket__campaign__market_id",
    )

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="+", verbose_name=_("ticket"), help_text=_("About which it is.")
    )  # fmt: skip
    ticket_version = models.PositiveIntegerField(
        _("ticket's version"), help_text=_("It is shown while the ticket has this version.")
    )
    model = models.CharField(_("model"), max_length=80, help_text=_("Which one was asked."))
    points = models.JSONField(
        _("points"), default=list, help_text=_("Each with its severity, citation and, where it has one, its change.")
    )  # fmt: skip
    dropped = models.PositiveSmallIntegerField(
        _("dropped"), default=0, help_text=_("Points whose quote does not stand in the document.")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by"),
        help_text=_("Who asked for it."),
    )  # fmt: skip
    at = models.DateTimeField(_("at"), default=timezone.now, help_text=_("When it was asked."))

    objects: ClassVar[Any] = models.Manager.from_queryset(ReachedByTicket)()

    class Meta:
        verbose_name = _("advice")
        verbose_name_plural = _("advice")
        ordering = ["-id"]
        indexes = [models.Index(fields=["ticket", "ticket_version"], name="advice_of_version")]

    def __str__(self) -> str:
        return f"{self.ticket_id} · {self.ticket_version}"
