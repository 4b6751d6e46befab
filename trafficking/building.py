"""A ticket with its campaign, ad sets and ads from one form or one call: saved whole, checked whole, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.services import save_campaign
from governance.access import reach_of
from governance.actor import acting
from governance.governed import StaleVersion
from governance.models import AdAccount, Channel
from trafficking import qa
from trafficking.models import Ad, AdSet, Ticket
from trafficking.statuses import GUARDED
from trafficking.tree_services import AdSetDraft, is_tree, save_tree

#: Errors by path: `campaign.name`, `ad_account`, `ad_sets[0].ads[1].media`, or `__all__`.
Errors = dict[str, list[ValidationError]]
#: Of a tree that is too large nothing can be read; the same bound as at the API.
MOST_PARTS = 500


@dataclass(slots=True)
class TreeDraft:
    """What shall be: `ticket` (new or standing, its values set) of `campaign` (new or standing) with these ad sets.

    `unread` are values that could not even be read: they are told with everything else, and keep it from being saved.
    """

    campaign: Campaign
    ticket: Ticket
    ad_sets: Sequence[AdSetDraft] | None
    unread: Mapping[str, Sequence[ValidationError]] = field(default_factory=dict)


class ChangedMeanwhile(StaleVersion):
    """`row` (the ticket, or a part of it) was changed since the form was opened."""

    def __init__(self, row: Any) -> None:
        super().__init__(row)
        self.row = row


def save_built(*, by: Any, draft: TreeDraft, versions: Mapping[str, int] | None = None) -> Ticket:
    """Write the campaign where it is new, the ticket, and exactly these ad sets and ads; all or nothing.

    `versions` are those that the person has read: "ticket", and each part's public id. A ticket that is ready or
    approved and that the draft leaves as it is stays so: its QA and approval hold. Raises PermissionDenied,
    ChangedMeanwhile, or ValidationError with everything that is wrong by path.
    """
    _require_rights(by, draft)
    with acting(by), transaction.atomic():
        _require_fresh(draft.ticket, versions or {})
        if _untouched(by, draft):
            return draft.ticket
        return _written(by, draft)


def check_built(*, by: Any, draft: TreeDraft) -> list[dict[str, Any]]:
    """What saving and QA would say of it, as findings with their words; nothing is left behind.

    It is saved and undone: the rules read a whole ticket with its rows, and are the same ones as at submission.
    """
    _require_rights(by, draft)
    with acting(by), undone():
        try:
            with transaction.atomic():
                ticket = _written(by, draft)
        except ValidationError as refused:
            return refusals(refused)
        return [finding.as_report() for finding in qa.check_ticket(_as_read(ticket)).findings]


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is taken back; what waits for the commit never runs."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refusals(refused: ValidationError) -> list[dict[str, Any]]:
    """The errors of a refusal in the form of findings."""
    by_path = refused.error_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.error_list}
    return [
        {"code": each.code or "invalid", "field": "" if path == NON_FIELD_ERRORS else path, "severity": "block",
         "params": dict(each.params or {}), "message": text, "remedy": ""}
        for path, errors in by_path.items()
        for each in errors
        for text in each.messages
    ]  # fmt: skip


def _as_read(ticket: Ticket) -> Ticket:
    rows = Ticket.objects.select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account", "base"
    )
    return rows.get(pk=ticket.pk)


# ------------------------------------------------------------------------------------------ rights


def _require_rights(by: Any, draft: TreeDraft) -> None:
    """Roles. What is not the person's by brand and market is told at its field."""
    wanted = ["trafficking.add_ticket" if draft.ticket._state.adding else "trafficking.change_ticket"]
    if draft.campaign._state.adding and "campaign" not in draft.unread:
        wanted.append("campaigns.add_campaign")
    if not by.has_perms(wanted):
        raise PermissionDenied


def _reach_errors(by: Any, draft: TreeDraft) -> Errors:
    campaign, ticket, errors = draft.campaign, draft.ticket, {}
    chosen = campaign.brand_id and campaign.market_id
    if chosen and not reach_of(by).covers(campaign.brand_id, campaign.market_id):
        text = _("That brand and market are not yours: ask a data admin for a grant, or choose another.")
        errors["campaign"] = [ValidationError(text, code="outside_reach")]
    account = ticket.ad_account_id
    if account and not AdAccount.objects.visible_to(by).filter(pk=account).exists():
        text = _("This ad account is not yours. Choose one that serves the brand in this market.")
        errors["ad_account"] = [ValidationError(text, code="outside_reach")]
    return errors


def _require_fresh(ticket: Ticket, versions: Mapping[str, int]) -> None:
    """Every row that the person has read is as they have read it."""
    if ticket._state.adding or not versions:
        return
    if versions.get("ticket") != Ticket.objects.values_list("version", flat=True).get(pk=ticket.pk):
        raise ChangedMeanwhile(_last_changed(ticket))
    standing = [*AdSet.objects.filter(ticket=ticket), *Ad.objects.filter(ad_set__ticket=ticket)]
    for row in standing:
        if versions.get(str(row.public_id), row.version) != row.version:
            raise ChangedMeanwhile(row)
    if {key for key in versions if key != "ticket"} - {str(row.public_id) for row in standing}:
        raise ChangedMeanwhile(ticket)


def _untouched(by: Any, draft: TreeDraft) -> bool:
    """Nothing differs from what QA has passed. In earlier statuses saving also mends names, so it always writes."""
    ticket = draft.ticket
    if ticket._state.adding or draft.unread or _reach_errors(by, draft):
        return False
    stored = Ticket.objects.get(pk=ticket.pk)
    if stored.status not in GUARDED or not stored.editable:
        return False
    same = all(
        getattr(stored, each.attname) == getattr(ticket, each.attname)
        for each in Ticket._meta.concrete_fields
    )
    return same and (draft.ad_sets is None or is_tree(ticket, draft.ad_sets))


def _last_changed(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


# ------------------------------------------------------------------------------------------ writing


def _written(by: Any, draft: TreeDraft) -> Ticket:
    errors: Errors = defaultdict(list, {path: list(found) for path, found in draft.unread.items()})
    for path, found in _reach_errors(by, draft).items():
        _add(errors, path, found)
    if _too_many(draft):
        text = _("A ticket holds at most %(most)s ad sets and ads.")
        raise ValidationError(text, code="too_many", params={"most": MOST_PARTS})
    if "campaign" not in errors:  # of a campaign that is not theirs nothing more is said
        _collect(errors, "campaign", lambda: _write_campaign(by, draft))
    ticket = draft.ticket
    ticket.campaign = draft.campaign
    _collect(errors, "", lambda: save_tree(ticket=ticket, ad_sets=draft.ad_sets))
    # a campaign that can't be made has told why: that the ticket lacks one says nothing more
    errors["campaign"] = [each for each in errors.get("campaign", ()) if each.code != "null"]
    if told := {path: found for path, found in errors.items() if found}:
        raise ValidationError(dict(told))
    return ticket


def _too_many(draft: TreeDraft) -> bool:
    return sum(1 + len(each.ads or ()) for each in draft.ad_sets or ()) > MOST_PARTS


def _collect(errors: Errors, path: str, write: Any) -> None:
    try:
        with transaction.atomic():
            write()
    except StaleVersion:
        raise
    except IntegrityError:
        text = _("Somebody saved something alike in the same moment. Check and save again.")
        _add(errors, NON_FIELD_ERRORS, [ValidationError(text, code="collision")])
    except ValidationError as refused:
        if getattr(refused, "code", None) in ("stale_version", "not_editable"):
            raise
        by_field = (
            refused.error_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.error_list}
        )
        for name, found in by_field.items():
            _add(errors, _path(path, name), found)


def _path(path: str, name: str) -> str:
    """Where the form has it: a refused channel of the campaign is the ticket's choice."""
    if path == "campaign" and name in ("channel", "channels"):
        return "channel"
    if path == "campaign" and name == NON_FIELD_ERRORS:
        return "campaign.name"
    return f"{path}.{name}" if path else name


def _add(errors: Errors, path: str, found: Sequence[ValidationError]) -> None:
    """The same words at one place are said once, and what is missing in words of the house."""
    found = [_asked_for(each) for each in found]
    said = {text for each in errors.get(path, ()) for text in each.messages}
    errors.setdefault(path, []).extend(each for each in found if not said.issuperset(each.messages))


def _asked_for(error: ValidationError) -> ValidationError:
    return ValidationError(_("Fill this in."), code=error.code) if error.code in ("null", "blank") else error


def _write_campaign(by: Any, draft: TreeDraft) -> None:
    """A new campaign is saved with its name; one that stands gets a name on a channel that is new to it."""
    campaign = draft.campaign
    channel = Channel.objects.filter(pk=draft.ticket.channel_id).first()
    if channel is None:
        _validate_alone(campaign)
        return
    if campaign._state.adding:
        _make_campaign(campaign, channel)
        return
    present = [each.channel for each in campaign.channel_names.select_related("channel")]
    if channel in present:
        return
    if not by.has_perm("campaigns.change_campaign"):
        text = _("The campaign does not run on %(channel)s yet, and your role can't add it.")
        raise ValidationError(
            {"channel": ValidationError(text, code="not_on_channel", params={"channel": channel.code})}
        )
    save_campaign(campaign=campaign, channels=[*present, channel])


def _make_campaign(campaign: Campaign, channel: Channel) -> None:
    try:
        with transaction.atomic():
            save_campaign(campaign=campaign, channels=[channel])
    except ValidationError:  # its row is taken back: the object must not say otherwise
        campaign.pk, campaign._state.adding = None, True
        raise


def _validate_alone(campaign: Campaign) -> None:
    """Without a channel nothing is saved, but what is wrong with the campaign is told."""
    if campaign._state.adding:
        campaign.full_clean()
