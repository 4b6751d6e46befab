"""Cloning by clicking: a grid of markets and channels, then what would come of it, then the drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from governance.actor import current_actor
from governance.models import Channel, Market
from trafficking.cloning import MOST_TARGETS, Clone, Target, clone_ticket, preview_clones
from trafficking.models import Ticket
from trafficking.panels import Order, Outcome, TicketAction
from trafficking.statuses import Status


class GridWidget(forms.CheckboxSelectMultiple):
    """Markets down, channels across."""

    template_name = "trafficking/builder/clone_grid.html"

    def __init__(self) -> None:
        super().__init__()
        self.markets: Sequence[Market] = ()
        self.channels: Sequence[Channel] = ()
        self.taken: frozenset[str] = frozenset()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        ticked = set(value or ())
        rows = [
            {"market": market, "cells": [
                {"value": f"{market.pk}:{channel.pk}", "label": f"{market.code} · {channel.code}",
                 "ticked": f"{market.pk}:{channel.pk}" in ticked, "taken": f"{market.pk}:{channel.pk}" in self.taken}
                for channel in self.channels
            ]}
            for market in self.markets
        ]  # fmt: skip
        context["widget"] |= {"rows": rows, "channels": self.channels}
        return context


class SeenWidget(forms.HiddenInput):
    """Carries which targets the person has read about; shows what would come of each."""

    template_name = "trafficking/builder/clone_preview.html"
    input_type = "text"  # a hidden field would stand outside of the form's rows
    clones: Sequence[Clone] = ()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["clones"] = self.clones
        return context


class CloneForm(forms.Form):
    """The first time it is sent it shows what would be made; sent again for the same targets, it is made."""

    targets = forms.MultipleChoiceField(
        label=_("Where to"), widget=GridWidget, error_messages={"required": _("Tick at least one market and channel.")},
        help_text=_("Greyed: this campaign has a ticket there already."),
    )  # fmt: skip
    seen = forms.CharField(label=_("What will be made"), required=False, widget=SeenWidget)

    def __init__(self, ticket: Ticket, data: Any = None) -> None:
        if data is not None:
            data = data.copy()
        super().__init__(data)
        self.ticket, self.by = ticket, current_actor()
        self.markets = {row.pk: row for row in Market.objects.visible_to(self.by).current().order_by("code")}
        self.channels = {
            row.pk: row for row in Channel.objects.current().filter(active=True).order_by("code")
        }
        field: Any = self.fields["targets"]
        field.choices = [(f"{m}:{c}", f"{m}:{c}") for m in self.markets for c in self.channels]
        field.widget.markets, field.widget.channels = [*self.markets.values()], [*self.channels.values()]
        field.widget.taken = self._taken()

    def _taken(self) -> frozenset[str]:
        """Where tickets of this very campaign stand."""
        campaign = self.ticket.campaign
        rows = Ticket.objects.filter(campaign=campaign).exclude(status=Status.CANCELLED)
        return frozenset(f"{campaign.market_id}:{pk}" for pk in rows.values_list("channel_id", flat=True))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not given.get("targets"):
            return given
        given["chosen"] = self._targets(given["targets"])
        signature = ",".join(sorted(given["targets"]))
        try:
            clones = preview_clones(ticket=self.ticket, targets=given["chosen"], by=self.by)
        except PermissionDenied:
            raise ValidationError(_("Your role can't make campaigns or tickets there.")) from None
        self.fields["seen"].widget.clones = clones  # type: ignore[attr-defined]
        self.data["seen"] = signature  # type: ignore[index]
        if any(each.problems for each in clones):
            self.add_error("seen", _("Some can't be made: untick them, or mend what stands in their way."))
        elif given.get("seen") != signature:
            self.add_error("seen", _("Nothing is made yet. Read what would be made, then confirm."))
        return given

    def _targets(self, values: Sequence[str]) -> list[Target]:
        pairs = [value.split(":") for value in values][: MOST_TARGETS + 1]
        return [Target(self.markets[int(market)], self.channels[int(channel)]) for market, channel in pairs]


def _clone(order: Order) -> Outcome:
    made = clone_ticket(ticket=order.ticket, targets=order.values["chosen"], by=order.by)
    text = ngettext(
        "%(count)s draft was made: %(names)s.", "%(count)s drafts were made: %(names)s.", len(made)
    )
    names = ", ".join(f"{each.target.market.code} · {each.target.channel.code}" for each in made)
    return Outcome(
        text % {"count": len(made), "names": names}, ticket=made[0].ticket if len(made) == 1 else None
    )


def _has_a_tree(ticket: Ticket) -> bool:
    return ticket.request_type in Ticket.CONTENT


CLONE = TicketAction(
    name="clone", label=_("Clone…"), icon="content_copy", run=_clone, permission="trafficking.add_ticket",
    statuses=frozenset(Status), form=CloneForm, fits=_has_a_tree, aside=True,
    explanation=_("The same ad sets and ads for other markets or channels, as drafts. You read first what will be made,"
                  " and what can't be carried over."),
)  # fmt: skip
