"""Writes on built rules: save, record a trial, switch on and off, restore, put away. Each asks for the person's reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.actor import acting
from governance.models import BuiltRule

CHANGE = "governance.change_builtrule"


def may_decide(user: Any, brands: list[int], markets: list[int]) -> bool:
    """Whether `user`'s grants cover every ticket that the rule may speak of."""
    reach = reach_of(user)
    return all(reach.covers(brand, market) for brand in brands or [None] for market in markets or [None])  # type: ignore[list-item]


def may_change(user: Any, rule: BuiltRule) -> bool:
    """Also of what is in force, and of what is stored: a rule can't be narrowed to one's own reach to get at it."""
    scopes = [(rule.brands, rule.markets)]
    if rule.in_force:
        scopes.append((rule.in_force["brands"], rule.in_force["markets"]))
    if rule.pk and (stored := BuiltRule.objects.filter(pk=rule.pk).values_list("brands", "markets").first()):
        scopes.append(stored)
    return all(may_decide(user, *scope) for scope in scopes)


def _require(rule: BuiltRule, by: Any) -> None:
    if not by.has_perm(CHANGE) and not (rule._state.adding and by.has_perm("governance.add_builtrule")):
        raise PermissionDenied
    rule.clean_scope()
    if not may_change(by, rule):
        text = _(
            "The rule is for brands or markets that are not yours: limit it to those of yours, or ask who has them all."
        )
        raise ValidationError({"brands": ValidationError(text, code="outside_reach")})


def save_rule(*, rule: BuiltRule, by: Any, values: Mapping[str, Any]) -> BuiltRule:
    """Write the working definition. A rule that is on keeps running as it was switched on, until this one is."""
    for name, value in values.items():
        if name not in BuiltRule.CONTENT:
            raise ValidationError(_("No part of a rule: %(name)s."), code="unknown", params={"name": name})
        setattr(rule, name, value)
    _require(rule, by)
    with acting(by):
        rule.save()
    return rule


def record_trial(*, rule: BuiltRule, by: Any, digest: str, seen: int, hits: int) -> None:
    """What a trial of the definition with this digest found."""
    BuiltRule.objects.filter(pk=rule.pk, digest=digest).update(
        tried_digest=digest, tried_at=timezone.now(), tried_by=by, tried_seen=seen, tried_hits=hits
    )
    rule.refresh_from_db(fields=["tried_digest", "tried_at", "tried_by", "tried_seen", "tried_hits"])


def switch_on(*, rule: BuiltRule, by: Any) -> BuiltRule:
    """The working definition is what QA runs from now on. It must have been tried as it stands."""
    _require(rule, by)
    if rule.archived_at:
        raise ValidationError(_("This rule is put away: restore it first."), code="archived")
    if not rule.tried:
        text = _("Try the rule first: as it stands now, nobody has seen what it would have said.")
        raise ValidationError(text, code="not_tried")
    rule.in_force = {**rule.content, "digest": rule.digest, "revision": rule.revision}
    rule.status = BuiltRule.Status.ON
    with acting(by, reason="switched on"):
        rule.save()
    return rule


def switch_off(*, rule: BuiltRule, by: Any) -> BuiltRule:
    """QA no longer asks it."""
    _require(rule, by)
    rule.in_force, rule.status = None, BuiltRule.Status.OFF
    with acting(by, reason="switched off"):
        rule.save()
    return rule


def restore_version(*, rule: BuiltRule, by: Any, version: int) -> BuiltRule:
    """An earlier version becomes the working definition; to run, it is tried and switched on like any other."""
    record = rule.history.filter(version=version).first()
    if record is None:
        raise ValidationError(_("There is no such version."), code="no_version")
    values = {name: getattr(record, name) for name in BuiltRule.CONTENT}
    with acting(by, reason=f"version {version} taken up again"):
        return save_rule(rule=rule, by=by, values=values)


def put_away(*, rule: BuiltRule, by: Any) -> BuiltRule:
    """Off, and out of the lists; its history stays."""
    _require(rule, by)
    rule.in_force, rule.archived_at = None, timezone.now()
    rule.status = BuiltRule.Status.OFF
    with acting(by, reason="put away"), transaction.atomic():
        rule.save()
    return rule
