"""What can be asked for a campaign that is built: each request becomes a ticket that follows, checked, approved and
deployed like any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from governance.findings import blocking
from trafficking import held, requests, services
from trafficking.admin_fields import MomentField
from trafficking.models import PlatformObject, Ticket
from trafficking.panels import Order, Outcome, TicketAction
from trafficking.platforms.changes import tree_order
from trafficking.statuses import Status

Type = Ticket.RequestType
#: Where something may be running on the platform.
BUILT = frozenset({Status.TRAFFICKED_SUCCESS, Status.FAILED})
CARRIED_OUT = frozenset({Status.TRAFFICKED_SUCCESS})
WHOLE, SOME = "whole", "some"


def built_tree(ticket: Ticket) -> Ticket | None:
    """The ticket whose tree is on the platform now, asked once per ticket object; None where nothing is built."""
    if not hasattr(ticket, "_built_tree"):
        tree = requests.current_tree(ticket.campaign_id, ticket.channel_id)
        ticket._built_tree = tree if tree is not None and held.campaign_id_of(tree) else None  # type: ignore[attr-defined]
    return ticket._built_tree  # type: ignore[attr-defined, no-any-return]


# --------------------------------------------------------------------------------------------- forms


class NoteForm(forms.Form):
    """Why, for whoever approves and for the QA document."""

    note = forms.CharField(
        label=_("What was asked"), required=False, max_length=2000, strip=True,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Who asked for it and why. The approver reads it, and it stands on the QA document."),
    )  # fmt: skip

    def __init__(self, ticket: Ticket, data: Any = None) -> None:
        super().__init__(data)
        self.ticket = ticket


class SwitchForm(NoteForm):
    """What to switch: the whole campaign, or ad sets and ads by name."""

    template = "trafficking/admin/scope.html"

    which = forms.ChoiceField(
        label=_("How much of it"), initial=WHOLE, widget=UnfoldAdminRadioSelectWidget,
        choices=[(WHOLE, _("The whole campaign")), (SOME, _("Only what is ticked below"))],
    )  # fmt: skip
    scope = forms.MultipleChoiceField(label=_("Ad sets and ads"), required=False)
    submit = forms.BooleanField(
        label=_("Submit it at once"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget,
        help_text=_("QA checks it right away, so that it can be approved. Off: it stays a draft."),
    )  # fmt: skip
    field_order = ("which", "scope", "go_live_at", "note", "submit")

    def __init__(self, ticket: Ticket, data: Any = None) -> None:
        super().__init__(ticket, data)
        self.fields["scope"].choices = [(each.intent, each.name) for each in self.objects]  # type: ignore[attr-defined]

    @cached_property
    def objects(self) -> list[PlatformObject]:
        """Ad sets each followed by their ads, as they were last read."""
        rows = held.rows_of(self.ticket).filter(object_type__in=("campaign", "ad_set", "ad")).order_by("id")
        by_ref = {each.ref: each for each in rows}
        ordered = [by_ref[each.ref] for each in tree_order([held.held_value(row) for row in by_ref.values()])]
        return [each for each in ordered if each.object_type != "campaign"]

    @property
    def ticked(self) -> list[str]:
        data: Any = self.data  # a QueryDict
        return data.getlist("scope") if self.is_bound else []

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        ticked = given.get("scope") or []
        if given.get("which") == SOME and not ticked:
            self.add_error("scope", _("Tick what it is about, or choose the whole campaign."))
        if given.get("which") == WHOLE and ticked:
            self.add_error("which", _("Some are ticked below: choose 'only what is ticked', or untick them."))
        return given


class ActivateForm(SwitchForm):
    """Now, or at an authorised moment by the account's clocks."""

    def __init__(self, ticket: Ticket, data: Any = None) -> None:
        super().__init__(ticket, data)
        zone = ticket.ad_account.time_zone
        self.fields["go_live_at"] = go_live_field(zone)
        self.order_fields(self.field_order)


def go_live_field(zone: str) -> MomentField:
    return MomentField(
        zone=zone, label=gettext("Go live at (%(zone)s)") % {"zone": zone},
        help_text=gettext("By the clocks of the ad account: %(zone)s. Empty: as soon as it is deployed. With a moment,"
                          " it is approved and deployed ahead, and goes live then without anybody.") % {"zone": zone},
    )  # fmt: skip


class AgainForm(NoteForm):
    """Whether an undo is submitted at once."""

    submit = forms.BooleanField(
        label=_("Submit it at once"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget,
        help_text=_("QA checks it right away, so that it can be approved. Off: it stays a draft to be read first."),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------- actions


def _content(request_type: str) -> Callable[[Order], Outcome]:
    def run(order: Order) -> Outcome:
        made = requests.start_request(
            base=_tree(order.ticket),
            request_type=request_type,
            by=order.by,
            note=order.values.get("note", ""),
        )
        text = gettext("Ticket %(number)s holds a copy of what is built. Change it, then submit it.")
        return Outcome(text % {"number": made.pk}, ticket=made)

    return run


def _switch(request_type: str) -> Callable[[Order], Outcome]:
    def run(order: Order) -> Outcome:
        values = order.values
        made = requests.start_request(
            base=_tree(order.ticket), request_type=request_type, by=order.by, scope=values.get("scope", ()),
            go_live_at=values.get("go_live_at"), note=values.get("note", ""),
        )  # fmt: skip
        return _submitted(made, order) if values.get("submit") else _drafted(made)

    return run


def _undo(order: Order) -> Outcome:
    made = requests.undo_request(ticket=order.ticket, by=order.by, note=order.values.get("note", ""))
    return _submitted(made, order) if order.values.get("submit") else _drafted(made)


def _tree(ticket: Ticket) -> Ticket:
    tree = built_tree(ticket)
    if tree is None:
        raise ValidationError(_("Nothing of this campaign is on the platform."), code="not_built")
    return tree


def _drafted(made: Ticket) -> Outcome:
    return Outcome(gettext("Ticket %(number)s is a draft: submit it.") % {"number": made.pk}, ticket=made)


def _submitted(made: Ticket, order: Order) -> Outcome:
    """The new ticket stands, whatever becomes of submitting it."""
    try:
        report = services.submit_ticket(ticket=made, by=order.by)
    except ValidationError as refused:
        text = gettext("Ticket %(number)s is a draft, and could not be submitted: %(why)s")
        why = " ".join(refused.messages)
        return Outcome(text % {"number": made.pk, "why": why}, messages.WARNING, made)
    if report.passed:
        made.refresh_from_db(fields=["status"])
        text = (
            gettext("Ticket %(number)s passed QA, and nobody has to approve it: it can be deployed.")
            if made.status == Status.APPROVED
            else gettext("Ticket %(number)s passed QA: it now waits for approval.")
        )
        return Outcome(text % {"number": made.pk}, ticket=made)
    count = len(blocking(report.findings))
    text = ngettext(
        "Ticket %(number)s: QA has %(count)s finding.", "Ticket %(number)s: QA has %(count)s findings.", count
    )
    return Outcome(text % {"number": made.pk, "count": count}, messages.WARNING, made)


def _has_tree(ticket: Ticket) -> bool:
    return built_tree(ticket) is not None


def _can_be_undone(ticket: Ticket) -> bool:
    undone = (Type.UPDATE, Type.ADD, Type.RENAME, Type.PAUSE, Type.ACTIVATE)
    return ticket.base_id is not None and ticket.request_type in undone and _has_tree(ticket)


def _request(name: str, label: Any, icon: str, explanation: Any, **options: Any) -> TicketAction:
    return TicketAction(
        name=name, label=label, icon=icon, explanation=explanation, permission="trafficking.change_ticket",
        **{"fits": _has_tree, "statuses": CARRIED_OUT, **options},
    )  # fmt: skip


REQUESTS = (
    _request(
        "activate", _("Activate…"), "play_circle",
        _("The only way to start spending. A ticket is made, and a second person approves it; it goes live when it is"
          " deployed, or at the moment that you choose. What was paused on purpose stays paused, unless it is ticked."),
        run=_switch(Type.ACTIVATE), form=ActivateForm, variant=ActionVariant.SUCCESS,
    ),
    _request(
        "pause", _("Pause…"), "pause_circle",
        _("Nothing of it is shown any more. Pausing the whole campaign keeps what runs under it as it is. In an"
          " emergency use the kill switch: it needs no approval."),
        run=_switch(Type.PAUSE), form=SwitchForm, statuses=BUILT,
    ),
    _request(
        "update", _("Change…"), "edit_note",
        _("A new ticket with a copy of what is built: change budget, days, targeting, bids, words, pages or media there."
          " The approver sees each change with before and after, and what it does to learning."),
        run=_content(Type.UPDATE), form=NoteForm,
    ),
    _request(
        "add", _("Add…"), "add_circle",
        _("A new ticket with a copy of what is built: add ad sets or ads to it. Nothing that is there may be changed by"
          " it. New ones start paused."),
        run=_content(Type.ADD), form=NoteForm, aside=True,
    ),
    _request(
        "rename", _("Rename…"), "match_case",
        _("A new ticket that gives objects on the platform the names that their parts and the convention ask for. Ids,"
          " learning and results stay."),
        run=_content(Type.RENAME), form=NoteForm, aside=True,
    ),
    _request(
        "undo", _("Undo…"), "undo",
        _("A new ticket that takes back what this one has done: a change returns to what stood before it, with every"
          " later change; what was paused is activated, what was activated is paused. It is approved like any other."),
        run=_undo, form=AgainForm, fits=_can_be_undone, aside=True,
    ),
    _request(
        "archive", _("Archive…"), "inventory_2",
        _("Taken off the platform for good: no platform brings back what was archived. Its results stay readable there."),
        run=_switch(Type.ARCHIVE), form=SwitchForm, statuses=BUILT, variant=ActionVariant.DANGER, aside=True,
    ),
)  # fmt: skip
