"""After the last call: what the platform has, against what was wanted, object by object and field by field.

The result stands on the deployment and is the client's QA document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from deploy.before import raise_unread
from deploy.models import Deployment
from deploy.points import reach
from deploy.stopping import Stop
from governance.findings import Finding, Message
from governance.findings import gettext_noop as _
from trafficking import held
from trafficking.models import Ticket
from trafficking.platforms import base
from trafficking.platforms.changes import with_adopted, with_file_ids
from trafficking.platforms.registry import platform
from trafficking.snapshots import ticket_snapshot

if TYPE_CHECKING:
    from deploy.engine import Run

State, Kind, Type = Deployment.State, Deployment.Kind, Ticket.RequestType
MESSAGES = {
    "proof.differs": Message(
        _("{name} ({external_id}): {field} is {live} on the platform, and should be {wanted}."),
        _(
            "Deploy it again to look once more; adopt the platform's value, or set it right with an UPDATE ticket."
        ),
    ),
}
SWITCHED = ("campaign", "ad_set", "ad")
#: How often an object that came to life unpaused is paused again before the deployment fails.
PAUSE_TRIES = 3
Key = tuple[str, str]


def prove(run: Run) -> None:
    """Raises Stop unless everything agrees: WAITING where it can't be seen yet, FAILED where it differs, IN_DOUBT where
    something is there that nobody planned."""
    for _try in range(PAUSE_TRIES):
        lives = _read(run)
        running = _running_unasked(run, lives)
        if not running:
            break
        for each in running:
            _pause(run, each)
    else:
        names = ", ".join(each.name or each.external_id for each in running)
        raise Stop(State.FAILED, f"{names} came to life active and can't be paused.")
    run.lives = lives
    objects = [*_wished(run, lives), *_expected(run, lives)]
    unexpected = _unexpected(run, lives)
    reach(8)
    _write(run, objects, unexpected)
    _judge(run, objects, unexpected)


# --------------------------------------------------------------------------------------- reading


def _read(run: Run) -> tuple[base.Live, ...]:
    lives = run.ask(lambda: run.client.read_tree(run.campaign_id))
    if isinstance(lives, base.NotFound):
        lives = ()
    if not isinstance(lives, tuple):
        raise_unread(lives, 1)
    missing = _missing(run, lives)
    if missing:
        _again(run, missing)
    return lives


def _missing(run: Run, lives: tuple[base.Live, ...]) -> list[str]:
    """What must be there and can't be seen: reads may lag behind writes."""
    seen = {(each.type, each.external_id) for each in lives}
    return [
        each.name or each.ref
        for op in run.planned.values()
        if op.action not in ("upload", "await", "archive")
        for each in op.objects
        if each.type in SWITCHED
        and each.expect.get("status") != "ARCHIVED"  # replaced within a mutate
        and (each.type, each.external_id or run.external_ids[each.ref]) not in seen
    ]


def _again(run: Run, missing: list[str]) -> None:
    tries = int(run.deployment.proof.get("tries", 0))
    delays = settings.DEPLOY_PROVE_AFTER_S
    what = ", ".join(missing)
    if tries >= len(delays):
        raise Stop(State.FAILED, f"Not to be seen on the platform after all calls were answered: {what}.")
    _keep(run, {"tries": tries + 1})
    raise Stop(State.WAITING, f"Not to be seen yet: {what}; reading again.", delays[tries])


def _keep(run: Run, proof: dict[str, Any]) -> None:
    Deployment.objects.filter(pk=run.deployment.pk, lease_owner=run.lease).update(proof=proof)
    run.deployment.proof = proof


def _running_unasked(run: Run, lives: Iterable[base.Live]) -> list[base.Live]:
    """What this plan created and is active: a platform may ignore the status at creation."""
    created = {run.external_ids[each.ref] for each in _created(run)}
    return [
        each
        for each in lives
        if each.type in SWITCHED and each.external_id in created and each.status == "ACTIVE"
    ]


def _created(run: Run) -> list[base.PlannedObject]:
    return [
        each
        for op in run.planned.values()
        if op.action == "create"
        for each in op.objects
        if not each.external_id and each.type in held.HELD_TYPES
    ]


def _pause(run: Run, live: base.Live) -> None:
    outcome = run.ask(lambda: run.client.set_status(live.type, live.external_id, "PAUSED"))
    if isinstance(outcome, base.RetryLater):
        # given up now, it would stay on: a throttled switch is tried again at the platform's own time
        raise_unread(replace(outcome, reason=f"{live.name} is not paused yet: {outcome.reason}"), 1)


# -------------------------------------------------------------------------------------- comparing


def _wished(run: Run, lives: Iterable[base.Live]) -> list[dict[str, Any]]:
    """The whole tree as the ticket wants it, where the ticket holds one."""
    if (
        run.ticket.request_type not in (Type.CREATE, Type.UPDATE, Type.ADD)
        or run.deployment.kind != Kind.APPLY
    ):
        return []
    known = platform(run.plan.platform)
    operations = _whole_tree(run, known) if run.held else tuple(run.planned.values())
    by_ref = {each.ref: each for each in run.held}
    found = {(each.type, each.external_id): each for each in lives}
    return [_proved(run, each, by_ref.get(each.ref), found) for each in known.wanted(operations)]


def _whole_tree(run: Run, known: base.Platform) -> tuple[base.Operation, ...]:
    whole = replace(ticket_snapshot(run.ticket), request_type="CREATE", scope=())
    return known.compile(whole).operations


def _proved(
    run: Run, wanted: base.Wanted, before: base.Held | None, found: dict[Key, base.Live]
) -> dict[str, Any]:
    external_id = run.external_ids.get(wanted.ref, "")
    live = found.get((wanted.type, external_id))
    fields = with_file_ids(wanted.fields, run.external_ids)
    wishes = {name: with_adopted(before, name, value) if before else value for name, value in fields.items()}
    if wanted.name and wanted.type in SWITCHED:
        wishes.setdefault("name", wanted.name)
    return _entry(wanted.ref, wanted.type, wanted.name, external_id, live, wishes, wanted.sources)


def _expected(run: Run, lives: Iterable[base.Live]) -> list[dict[str, Any]]:
    """What each change and switch should have left behind."""
    found = {(each.type, each.external_id): each for each in lives}
    return [
        _entry(each.ref, each.type, each.name, each.external_id, found.get((each.type, each.external_id)),
               with_file_ids(each.expect, run.external_ids), {})
        for op in run.planned.values()
        for each in op.objects
        if each.external_id and each.expect
    ]  # fmt: skip


def _entry(
    ref: str, object_type: str, name: str, external_id: str, live: base.Live | None, wishes: Any, sources: Any
) -> dict[str, Any]:
    status = live.status if live else "ARCHIVED"
    shown: dict[str, Any] = (
        {"name": live.name or None, **live.fields, "status": status} if live else {"status": status}
    )
    fields = [
        {
            "field": name,
            "wanted": value,
            "live": shown.get(name),
            "agrees": shown.get(name) == value or (name == "name" and live is not None and not live.name),
            "source": sources.get(name, ""),
        }
        for name, value in wishes.items()
    ]
    return {
        "ref": ref, "type": object_type, "name": name, "external_id": external_id, "status": status, "fields": fields,
    }  # fmt: skip


def _unexpected(run: Run, lives: Iterable[base.Live]) -> list[dict[str, str]]:
    """After a first build nothing may hang under the campaign that nobody planned, and no second one bear its name.

    What others have made under a campaign that runs is theirs; but nothing may bear the name of what a change has added.
    """
    if run.deployment.kind != Kind.APPLY:
        return []
    known, first_build = set(run.external_ids.values()), run.ticket.request_type == Type.CREATE
    made = {(each.type, each.name) for each in _created(run) if each.name}
    found = [
        {"type": each.type, "external_id": each.external_id, "name": each.name}
        for each in lives
        if each.type in SWITCHED
        and each.external_id not in known
        and (first_build or (each.type, each.name) in made)
    ]
    return found + (_namesakes(run) if first_build else [])


def _namesakes(run: Run) -> list[dict[str, str]]:
    first = next(
        (op for op in run.planned.values() if any(each.type == "campaign" for each in op.objects)), None
    )
    if first is None:
        return []
    other = run.ask(lambda: run.client.find(first, run.external_ids))
    name = next(each.name for each in first.objects if each.type == "campaign")
    if isinstance(other, base.Applied):
        ids = {run.external_ids.get(ref) for ref in other.external_ids}
        fresh = [each for each in other.external_ids.values() if each not in ids]
        return [{"type": "campaign", "external_id": each, "name": name} for each in fresh]
    if isinstance(other, base.InDoubt) and other.ambiguous:
        return [{"type": "campaign", "external_id": other.reason, "name": name}]
    if not isinstance(other, base.NotFound):
        raise_unread(other, 1)
    return []


# ---------------------------------------------------------------------------------------- judging


def _write(run: Run, objects: list[dict[str, Any]], unexpected: list[dict[str, str]]) -> None:
    _keep(run, {"at": timezone.now().isoformat(), "objects": objects, "unexpected": unexpected})


def _judge(run: Run, objects: list[dict[str, Any]], unexpected: list[dict[str, str]]) -> None:
    if unexpected:
        names = ", ".join(f"{each['type']} {each['name']} ({each['external_id']})" for each in unexpected)
        raise Stop(
            State.IN_DOUBT, f"On the platform and in no plan: {names}. A person decides what becomes of it."
        )
    findings = [_finding(each, field) for each in objects for field in each["fields"] if not field["agrees"]]
    if findings:
        reason = " ".join(each.message for each in findings[:5])
        raise Stop(State.FAILED, f"Not as it was sent: {reason}", findings=findings)


def _finding(entry: dict[str, Any], field: dict[str, Any]) -> Finding:
    params = {
        "name": entry["name"], "external_id": entry["external_id"], "field": field["field"],
        "wanted": field["wanted"], "live": field["live"],
    }  # fmt: skip
    return Finding("proof.differs", field["source"], params=params)
