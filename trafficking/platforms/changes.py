"""What has to be sent so that a platform holds what a ticket wants: the part that is the same everywhere.

Values in, values out. A platform whose calls each concern one object (Meta, TikTok) gives `compile_request` its
own way of saying an update; one that sends whole trees (Google) uses `difference` and writes its own mutate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance.findings import Finding, Message
from governance.findings import gettext_noop as _
from trafficking.platforms.base import (
    Change,
    Compiled,
    Held,
    Live,
    Operation,
    Platform,
    RunStatus,
    TicketSnapshot,
    Wanted,
    stand_in,
)

MESSAGES = {
    "request.not_built": Message(
        _("Nothing of this campaign is known on the platform."),
        _("Build it with a CREATE ticket, or import the account first."),
    ),
    "request.nothing": Message(
        _("There is nothing to send: the platform has all of this already."),
        _("Change something, or cancel this ticket."),
    ),
    "request.unknown_scope": Message(
        _("{intent} is not an ad set or ad of this campaign on the platform."),
        _("Choose from what has been built."),
    ),
    "request.impossible": Message(
        _("{name}: {field} can't be changed on the platform once it is built ({before} → {after})."),
        _("Take the change back, or build a new campaign and archive this one."),
    ),
    "request.only_adds": Message(
        _("{name}: an ADD ticket brings new ad sets and ads only, and this changes {field}."),
        _("Make an UPDATE ticket of it."),
    ),
    "request.left_out": Message(
        _("{name} is on the platform and no longer in the ticket. It is left as it is."),
        _("To take it off, make an ARCHIVE ticket."),
    ),
    "request.replaced": Message(
        _("{name} can only be changed by a new one: the old one is archived, the new one starts paused."),
        _("Activate the new one when it is to run; its learning starts anew."),
    ),
    "request.drifted": Message(
        _("{name}: {field} was changed on the platform to {live} since it was last applied ({applied})."),
        _("This plan sets it to {wanted}. Adopt the platform's value first if it should stay."),
    ),
}

SWITCHED_TYPES = ("campaign", "ad_set", "ad")
_ABSENT = object()
#: Says an update: the operations for one object, given the whole CREATE plan.
UpdateOperations = Callable[[Wanted, Held, Sequence[Change], Mapping[str, Operation]], Sequence[Operation]]
CompileCreate = Callable[[TicketSnapshot], Compiled]


def compile_request(
    platform: Platform, ticket: TicketSnapshot, held: Sequence[Held], *, create: CompileCreate,
    updates: UpdateOperations,
) -> Compiled:  # fmt: skip
    """Any request type for a platform with one call per object."""
    if ticket.request_type == "CREATE":
        return create(ticket)
    ready = compile_switch_or_names(platform, ticket, held)
    if ready is not None:
        return ready
    wish = create(replace(ticket, request_type="CREATE", scope=()))
    found = difference(platform, ticket, wish.operations, held)
    operations = _in_order(platform, ticket, wish.operations, found, updates)
    findings = [*wish.findings, *found.findings]
    if not operations and not any(each.blocking for each in findings):
        findings.append(Finding("request.nothing"))
    return Compiled(tuple(operations), tuple(findings), tuple(found.changes))


def compile_switch_or_names(
    platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]
) -> Compiled | None:
    """PAUSE, ACTIVATE, ARCHIVE and RENAME; None for the types that need the platform's own words."""
    if ticket.request_type == "CREATE":
        return None
    if not any(each.type == "campaign" for each in held):
        return Compiled((), (Finding("request.not_built"),))
    if ticket.request_type in STATUS_OF:
        return _switch(platform, ticket, held)
    if ticket.request_type == "RENAME":
        return _rename(platform, ticket, held)
    return None


# -------------------------------------------------------------------------------------- the switches

STATUS_OF: Mapping[str, RunStatus] = {"PAUSE": "PAUSED", "ACTIVATE": "ACTIVE", "ARCHIVE": "ARCHIVED"}
_KIND_OF = {"PAUSED": "pause", "ACTIVE": "activate", "ARCHIVED": "archive"}


def _switch(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    status = STATUS_OF[ticket.request_type]
    known = {each.intent for each in held if each.type in ("ad_set", "ad")}
    unknown = [each for each in ticket.scope if each not in known]
    findings = [Finding("request.unknown_scope", "scope", params={"intent": each}) for each in unknown]
    chosen = [each for each in in_scope(held, ticket.scope, status) if each.status != status]
    if not chosen and not findings:
        findings.append(Finding("request.nothing"))
    operations = tuple(platform.status_operation(ticket.account, each, status) for each in chosen)
    changes = tuple(
        Change(each.ref, each.type, each.name, _KIND_OF[status], "status", each.status, status)
        for each in chosen
    )
    return Compiled(operations, tuple(findings), changes)


def in_scope(held: Sequence[Held], scope: Sequence[str], status: RunStatus) -> list[Held]:
    """What a switch concerns, in the order to send it: off from the top, on and away from the bottom.

    The whole campaign is paused at its top alone, so that what runs under it is found as it was; it is activated on
    every level, save for what was paused on purpose.
    """
    switched = [each for each in tree_order(held) if each.type in SWITCHED_TYPES]
    if scope:
        wide = with_children(switched, scope) if status == "ARCHIVED" else set(scope)
        switched = [each for each in switched if each.intent in wide and each.type != "campaign"]
    elif status == "PAUSED":
        switched = [each for each in switched if each.type == "campaign"]
    elif status == "ACTIVE":
        switched = [each for each in switched if not each.held_back]
    return switched if status == "PAUSED" else switched[::-1]


def with_children(held: Sequence[Held], intents: Iterable[str]) -> set[str]:
    """These intents and those of what hangs under them."""
    wide = set(intents)
    refs = {each.ref for each in held if each.intent in wide}
    return wide | {each.intent for each in held if each.parent in refs}


def tree_order(held: Sequence[Held]) -> list[Held]:
    """Campaign, then each ad set followed by its ads; what has no place of its own last."""
    children: dict[str, list[Held]] = {}
    for each in held:
        children.setdefault(each.parent, []).append(each)
    ordered: list[Held] = []

    def walk(parent: str) -> None:
        for each in children.pop(parent, []):
            ordered.append(each)
            walk(each.ref)

    walk("")
    return [*ordered, *(each for rest in children.values() for each in rest)]


# ----------------------------------------------------------------------------------------- the names


def _rename(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    names = wanted_names(ticket)
    renamed = [
        (each, names[each.ref])
        for each in tree_order(held)
        if each.ref in names and names[each.ref] != live_name(each)
    ]
    operations = tuple(platform.rename_operation(ticket.account, each, name) for each, name in renamed)
    changes = tuple(
        Change(each.ref, each.type, name, "update", "name", live_name(each), name) for each, name in renamed
    )
    findings = () if operations else (Finding("request.nothing"),)
    return Compiled(operations, findings, changes)


def wanted_names(ticket: TicketSnapshot) -> dict[str, str]:
    """The governed name of each object by its ref."""
    names = {"campaign": ticket.name}
    for ad_set in ticket.ad_sets:
        names[f"ad_set:{ad_set.intent_id}"] = ad_set.name
        names |= {f"ad:{ad.intent_id}": ad.name for ad in ad_set.ads}
    return names


def live_name(held: Held) -> str:
    """The name as last read, else as last applied."""
    return str((held.live or {}).get("name") or held.name)


# ------------------------------------------------------------------------------------- the difference


@dataclass(slots=True)
class Difference:
    """`changed` and `replaced` pair what is wanted with what is held; `missing` are refs to be created, children of
    replaced objects among them; `changes` and `findings` are for people."""

    changed: list[tuple[Wanted, Held, list[Change]]]
    replaced: list[tuple[Wanted, Held]]
    missing: list[Wanted]
    changes: list[Change]
    findings: list[Finding]

    @property
    def created_refs(self) -> set[str]:
        return {each.ref for each in self.missing}


def difference(
    platform: Platform, ticket: TicketSnapshot, operations: Sequence[Operation], held: Sequence[Held]
) -> Difference:
    """Between what a CREATE plan would leave behind and what the platform holds."""
    found = Difference([], [], [], [], [])
    by_ref = {each.ref: each for each in held}
    gone: set[str] = set()
    wanted = platform.wanted(operations)
    for each in wanted:
        there = by_ref.get(each.ref)
        if there is None or each.parent in gone:
            if there is not None:
                found.replaced.append((each, there))
                gone.add(each.ref)
            found.missing.append(each)
            found.changes.append(Change(each.ref, each.type, each.name, "create"))
            continue
        changes = field_changes(platform, each, there)
        if ticket.request_type == "ADD":
            found.findings += _only_adds(changes)
            continue
        _weigh(found, each, there, changes, gone)
    _left_out(found, {each.ref for each in wanted}, held)
    return found


def _weigh(found: Difference, wanted: Wanted, held: Held, changes: list[Change], gone: set[str]) -> None:
    if not changes:
        return
    found.changes += changes
    found.findings += [_finding(each) for each in changes if each.kind == "impossible"]
    found.findings += [_drift_finding(wanted, held, each) for each in changes if each.note == "drift"]
    if any(each.kind == "replace" for each in changes) and wanted.type != "campaign":
        found.replaced.append((wanted, held))
        found.missing.append(wanted)
        gone.add(wanted.ref)
        found.findings.append(Finding("request.replaced", severity="warn", params={"name": wanted.name}))
        return
    found.changed.append((wanted, held, changes))


def field_changes(platform: Platform, wanted: Wanted, held: Held) -> list[Change]:
    """Each field that the platform has otherwise than wanted; one that it can't show is held against what was applied."""
    changes = []
    removed = {name: None for name, value in held.applied.items() if value is not None}
    for name, asked in {**removed, **wanted.fields}.items():
        after = with_adopted(held, name, asked)
        applied, before = held.applied.get(name), _base(held, name)
        if before is _ABSENT:
            before = None
        if before == after:
            continue
        kind: str = platform.change_kind(wanted.type, name, before, after)
        if kind == "replace" and wanted.type == "campaign":
            kind = "impossible"
        drifted = held.live is not None and name in held.live and name in held.applied and before != applied
        changes.append(
            Change(
                wanted.ref, wanted.type, wanted.name, kind, name, before, after, wanted.sources.get(name, ""),
                "drift" if drifted else "",
            )
        )  # fmt: skip
    return changes


#: How platforms write that a field is not asked for.
NOTHING: tuple[Any, ...] = (None, [], "")


def with_adopted(held: Held, name: str, asked: Any) -> Any:
    """What is wanted of a field: the platform's value where a person let it stand and the ticket asks as it did then."""
    kept = held.adopted.get(name)
    if kept is None:
        return asked
    nothing = kept["over"] in NOTHING and asked in NOTHING
    return kept["live"] if nothing or kept["over"] == asked else asked


def _base(held: Held, name: str) -> Any:
    if held.live is not None and name in held.live:
        return held.live[name]
    return held.applied.get(name, _ABSENT)


def _finding(change: Change) -> Finding:
    params = {"name": change.name, "field": change.field, "before": change.before, "after": change.after}
    return Finding("request.impossible", change.source, params=params)


def _drift_finding(wanted: Wanted, held: Held, change: Change) -> Finding:
    params = {
        "name": wanted.name, "field": change.field, "live": change.before, "applied": held.applied.get(change.field),
        "wanted": change.after,
    }  # fmt: skip
    return Finding("request.drifted", change.source, "warn", params=params)


def _only_adds(changes: Sequence[Change]) -> list[Finding]:
    return [
        Finding("request.only_adds", each.source, params={"name": each.name, "field": each.field})
        for each in changes
        if each.note != "drift"
    ]


def _left_out(found: Difference, refs: set[str], held: Sequence[Held]) -> None:
    for each in held:
        if each.type in ("ad_set", "ad") and each.ref not in refs:
            found.findings.append(Finding("request.left_out", severity="warn", params={"name": each.name}))


def _in_order(
    platform: Platform, ticket: TicketSnapshot, create: Sequence[Operation], found: Difference,
    updates: UpdateOperations,
) -> list[Operation]:  # fmt: skip
    """Uploads that are needed, archives of what is replaced (ads before their ad sets), then the tree from its top."""
    by_ref = {each.ref: each for each in create}
    changed = {wanted.ref: (wanted, held, changes) for wanted, held, changes in found.changed}
    body: list[Operation] = []
    for each in create:
        if each.ref in found.created_refs:
            body.append(each)
        elif each.ref in changed:
            body += updates(*changed[each.ref], by_ref)
    away = [
        platform.status_operation(ticket.account, held, "ARCHIVED")
        for _wanted, held in reversed(found.replaced)
        if held.type in SWITCHED_TYPES
    ]
    needed = {ref for each in body for ref in each.parents}
    uploads = [each for each in create if each.action in ("upload", "await") and _serves(each, needed)]
    return [*uploads, *away, *body]


def _serves(operation: Operation, needed: set[str]) -> bool:
    """Whether what an upload or its wait brings is used."""
    return bool(needed & ({each.ref for each in operation.objects} | set(operation.parents)))


# ------------------------------------------------------------------------------------ uploaded files


def with_file_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """`value` with the stand-in of each uploaded file replaced by the platform's id of it."""
    return _filled(value, {stand_in(ref): known for ref, known in ids.items() if ref.startswith("media:")})


def _filled(value: Any, by_stand_in: Mapping[str, str]) -> Any:
    if not by_stand_in:
        return value
    if isinstance(value, str) and "<media:" in value:
        for stood, known in by_stand_in.items():
            value = value.replace(stood, known)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(each, by_stand_in) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, by_stand_in) for each in value]
    return value


def expecting_file_ids(operation: Operation, ids: Mapping[str, str]) -> Operation:
    """The operation with what it leaves behind told by the files' ids."""
    objects = tuple(replace(each, expect=with_file_ids(each.expect, ids)) for each in operation.objects)
    return replace(operation, objects=objects)


# ------------------------------------------------------------------------------------------ the proof


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One field that the platform has otherwise than it should. `live` is None where it was dropped."""

    ref: str
    type: str
    name: str
    external_id: str
    field: str
    wanted: Any
    live: Any


def disagreements(wanted: Wanted, live: Live) -> list[Disagreement]:
    """Wanted against live, field by field; what the platform added by itself is no disagreement."""
    return [
        Disagreement(
            wanted.ref, wanted.type, wanted.name, live.external_id, name, value, live.fields.get(name)
        )
        for name, value in wanted.fields.items()
        if live.fields.get(name) != value
    ]
