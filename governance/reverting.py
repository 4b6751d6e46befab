"""Taking one change back, where that is safe: the row is saved anew through its ordinary door, with the values from before.

Which rows can be reverted, and what stands in the way, is registered by the floor that owns them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from governance import impact, services, trail
from governance.access import reach_of
from governance.actor import MOST_REASON, acting
from governance.governed import StaleVersion
from governance.history_view import shown
from governance.models import Brand, Channel, Market
from governance.trail import Change, Entry


@dataclass(frozen=True, slots=True)
class Way:
    """How rows of a model are reverted. `save` is the row's ordinary service; `may` whether its brand and market are the
    person's to change; `refuse` what makes it unsafe, in words ("": nothing)."""

    save: Callable[[Any], Any]
    may: Callable[[Any, Any], bool] = services.may_change
    refuse: Callable[[Any], str] = lambda _row: ""
    #: fields that move by acts of their own
    kept: frozenset[str] = frozenset()


_ways: dict[str, Way] = {}


def register(label: str, way: Way) -> None:
    _ways[label] = way


def is_mine(user: Any, row: Any) -> bool:
    """By the row's own brand and market."""
    brand, market = type(row).REACH
    return reach_of(user).covers(_at(row, brand), _at(row, market))


def _at(row: Any, path: str | None) -> Any:
    for step in path.split("__") if path else ():
        row = getattr(row, step)
    return row if path else None


@dataclass(slots=True)
class Revert:
    """What a revert would do. `refused`: why it can't be done; "" if it can. `changes` lead from now to then."""

    entry: Entry
    row: Any = None
    changes: list[Change] = field(default_factory=list)
    refused: str = ""
    impact: impact.Impact = field(default_factory=impact.Impact)


def may_offer(user: Any, entry: Entry) -> bool:
    """Worth a button: the page behind it says whether it is safe."""
    meta = entry.model._meta
    return (
        entry.record.history_type == "~" and entry.exists and entry.before is not None and meta.label_lower in _ways
        and user.has_perm(f"{meta.app_label}.change_{meta.model_name}") and bool(_fields(entry))
    )  # fmt: skip


def preview(user: Any, model: type, history_id: int) -> Revert | None:
    """None where there is no such change that the person may see."""
    found = trail.one(user, model, history_id)
    if found is None:
        return None
    plan = Revert(found)
    plan.refused = _why_not(user, plan)
    if not plan.refused:
        plan.impact = _impact(plan)
    return plan


def revert(
    user: Any, model: type, history_id: int, *, version: int, reason: str = "", impact_accepted: bool = False
) -> Any:
    """The saved row. Raises ValidationError (`not_reverted` with why, or what the row's own fence finds), StaleVersion
    where the row was changed since the preview, PermissionDenied."""
    with transaction.atomic():
        plan = preview(user, model, history_id)
        if plan is None:
            raise PermissionDenied
        if plan.refused:
            raise ValidationError(plan.refused, code="not_reverted")
        if plan.row.version != version:
            raise StaleVersion(plan.row)
        _set_back(plan)
        way = _ways[plan.entry.label]
        if not way.may(user, plan.row):
            raise PermissionDenied  # it would lead to a brand or market that is not theirs
        plan.row.impact_accepted = impact_accepted
        said = _("reverted: %(reason)s") % {"reason": reason.strip()} if reason.strip() else _("reverted")
        with acting(user, reason=said[:MOST_REASON]):
            way.save(plan.row)
    return plan.row


# -------------------------------------------------------------------------------------- is it safe?


def _why_not(user: Any, plan: Revert) -> str:
    entry = plan.entry
    if entry.record.history_type == "+":
        return _("This made the row. Archive or delete the row instead.")
    if entry.record.history_type == "-":
        return _("What was deleted is not brought back by this. Add it again.")
    if entry.before is None:
        return _("The history does not say what it was before.")
    way = _ways.get(entry.label)
    if way is None:
        return _("Rows of this kind move by acts of their own, not by a revert.")
    plan.row = trail.rows_of(entry.model, user).filter(pk=entry.record.id).first()
    if plan.row is None:
        return _("The row is not there any more.")
    if not _may_change(user, plan.row, way):
        return _("It is not yours to change: ask someone whose role and grants cover it.")
    fields = _fields(plan.entry)
    if not fields:
        return _("This changed nothing that people write.")
    if since := [each for each in fields if _moved_on(plan, each)]:
        names = ", ".join(capfirst(str(each.verbose_name)) for each in since)
        return _("Changed again since: %(fields)s. Revert the later change first.") % {"fields": names}
    plan.changes = [_back(plan, each) for each in fields]
    return way.refuse(plan.row)


def _may_change(user: Any, row: Any, way: Way) -> bool:
    meta = row._meta
    return user.has_perm(f"{meta.app_label}.change_{meta.model_name}") and way.may(user, row)


def _fields(entry: Entry) -> list[Any]:
    """What the change did that a person could have written."""
    model: Any = entry.model
    kept = model.DERIVED | model.UNGOVERNED | _ways[entry.label].kept
    changed = trail.changed_fields(entry.record, entry.before)
    own = (model._meta.get_field(each.name) for each in changed)
    return [each for each in own if each.editable and each.name not in kept and not trail.is_secret(each)]


def _moved_on(plan: Revert, each: Any) -> bool:
    return getattr(plan.row, each.attname) != getattr(plan.entry.record, each.attname)


def _back(plan: Revert, each: Any) -> Change:
    now, then = shown(plan.row, each), shown(plan.entry.before, each)
    return Change(each.name, str(each.verbose_name), now, then)


def _set_back(plan: Revert) -> None:
    for each in _fields(plan.entry):
        setattr(plan.row, each.attname, getattr(plan.entry.before, each.attname))


def _impact(plan: Revert) -> impact.Impact:
    coded = isinstance(plan.row, Market | Brand | Channel)
    return (
        impact.impact_of(plan.row)
        if coded and any(each.name == "code" for each in plan.changes)
        else impact.Impact()
    )


# -------------------------------------------------------------------------------- this floor's own


def register_own() -> None:
    from governance import webhooks

    for label in ("market", "brand", "channel"):
        register(
            f"governance.{label}",
            Way(lambda row: services.save_coded(row=row, impact_accepted=row.impact_accepted)),
        )
    for label in ("adaccount", "qarule", "exchangerate", "alias"):
        register(f"governance.{label}", Way(_plainly))
    register("governance.namingconvention", Way(_plainly, kept=frozenset({"in_force", "number"})))
    register("governance.audience", Way(_plainly, may=is_mine))
    register("governance.webhook", Way(_plainly, may=webhooks.may_manage, kept=frozenset({"secret_made_at"})))


def _plainly(row: Any) -> Any:
    row.save()
    return row
