"""Every request type: what to send so that Google holds what the ticket wants.

All changes of an UPDATE or ADD go out as one atomic mutate: what is replaced is removed, fields and criteria are
changed, new ad groups and ads are created. It is done wholly or not at all, and so never half.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import (
    Account,
    Change,
    Compiled,
    Held,
    Operation,
    PlannedObject,
    Platform,
    RunStatus,
    TicketSnapshot,
    Wanted,
)
from trafficking.platforms.changes import Difference, compile_switch_or_names, difference
from trafficking.platforms.google_ads.compile import compile_create
from trafficking.platforms.google_ads.fields import (
    AD_GROUP_CRITERIA,
    BIDDING,
    CAMPAIGN_CRITERIA,
    CHANNELS,
    LINKS,
    SCHEMES,
    asset_label,
    at,
    criterion_field,
    criterion_value,
    field_named,
    link_value,
    signal_value,
)
from trafficking.platforms.google_ads.notes import PREFIX
from trafficking.platforms.google_ads.reference import API_VERSION
from trafficking.platforms.google_ads.resources import customer_id, resource_name
from trafficking.platforms.google_ads.tree import OBJECTS, Create, bindings, creates

STATUS = {"ACTIVE": "ENABLED", "PAUSED": "PAUSED"}
ACTIONS = {"ACTIVE": "activate", "PAUSED": "pause", "ARCHIVED": "archive"}
#: object type -> operation of a mutate that changes its fields. An ad's status stands on its AdGroupAd.
UPDATES = {"campaign": "campaignOperation", "budget": "campaignBudgetOperation", "ad_set": "adGroupOperation",
           "ad": "adOperation"}  # fmt: skip
SWITCHES = {**UPDATES, "ad": "adGroupAdOperation"}
BY_HAND = f"{PREFIX}adopted.by_hand"
SIGNALS = ("assetGroupSignalOperation", "assetGroupSignals")
ASSET_LINKS = ("assetGroupAssetOperation", "assetGroupAssets")
#: Of these, setting one clears the other (channel_configuration is a oneof): to clear it too would unset both.
EITHER_OR = (CHANNELS, "demandGenAdGroupSettings.channelControls.channelStrategy")
CRITERION_OPERATIONS = {"campaign": "campaignCriterionOperation", "ad_set": "adGroupCriterionOperation"}
CRITERION_TABLES = {"campaign": CAMPAIGN_CRITERIA, "ad_set": AD_GROUP_CRITERIA}
CRITERION_COLLECTIONS = {"campaign": "campaignCriteria", "ad_set": "adGroupCriteria"}


def compile_request(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    """Any request type."""
    if ticket.request_type == "CREATE":
        return compile_create(ticket)
    if ticket.request_type == "RENAME":
        return _rename(platform, ticket, held)
    ready = compile_switch_or_names(platform, *_switched(ticket, held))
    if ready is not None:
        return ready
    if ticket.request_type not in ("UPDATE", "ADD"):
        unknown = Finding(
            f"{PREFIX}request.unsupported", "request_type", params={"request_type": ticket.request_type}
        )
        return Compiled((), (unknown,))
    return _change(platform, ticket, held)


def _switched(ticket: TicketSnapshot, held: Sequence[Held]) -> tuple[TicketSnapshot, Sequence[Held]]:
    """In Performance Max ads are switched with their asset groups, and all asset groups go with their campaign
    (AssetGroupError.CANNOT_REMOVE_ALL_ASSET_GROUPS_FROM_CAMPAIGN)."""
    if not any(_is_asset_group(each) for each in held):
        return ticket, held
    groups = {each.ref: each.intent for each in held if each.type == "ad_set"}
    of_ads = {each.intent: groups.get(each.parent, each.intent) for each in held if each.type == "ad"}
    scope = tuple(dict.fromkeys(of_ads.get(each, each) for each in ticket.scope))
    kept = [each for each in held if each.type != "ad"]
    if ticket.request_type == "ARCHIVE" and not scope:
        kept = [each for each in held if each.type == "campaign"]
    return replace(ticket, scope=scope), kept


def _is_asset_group(held: Held) -> bool:
    return held.external_id.startswith("assetGroups/")


def _rename(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    """Ads keep their names: search and display ads have none, others can't change theirs (ad.py: "Immutable")."""
    named = [each for each in held if each.type != "ad"]
    compiled = compile_switch_or_names(platform, ticket, named)
    if compiled is None:
        raise ValueError("RENAME is one of the request types that come ready-made")
    return compiled


def _change(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    wish = compile_create(replace(ticket, request_type="CREATE", scope=()))
    if not wish.operations:
        return wish
    found = difference(platform, ticket, wish.operations, held)
    findings = [*wish.findings, *found.findings, *_not_restorable(found)]
    if any(each.code == BY_HAND for each in findings):
        return Compiled((), tuple(findings), tuple(found.changes))
    main = next(each for each in wish.operations if each.object_type == "campaign")
    mutate = _Mutate(ticket.account, main, held)
    operation = mutate.operation(found)
    if operation is None:
        if not any(each.blocking for each in findings):
            findings.append(Finding("request.nothing"))
        return Compiled((), tuple(findings), tuple(found.changes))
    needed = set(operation.bindings.values())
    uploads = [each for each in wish.operations if each is not main and _serves(each, needed)]
    return Compiled((*uploads, operation), tuple(findings), tuple(found.changes))


def _not_restorable(found: Difference) -> list[Finding]:
    """Values that a person let stand and that somebody changed again: only plain ones can be said anew, for the
    ticket says something else."""
    findings = []
    for wanted, held, changes in found.changed:
        for change in changes:
            group = _is_asset_group(held) and held.type in ("ad_set", "ad")
            known = field_named(held.type, change.field, asset_group=group)
            if change.after != wanted.fields.get(change.field) and not (known and known.plain):
                params = {"name": wanted.name, "field": change.field, "value": change.after}
                findings.append(Finding(BY_HAND, change.source, params=params))
    return findings


def _serves(upload: Operation, needed: Iterable[str]) -> bool:
    """Whether an upload, or the waiting for it, brings something that is used."""
    refs = {each.ref for each in upload.objects}
    return bool(set(needed) & (refs | set(upload.parents) | {f"await:{ref}" for ref in refs}))


class _Mutate:
    """The one request of an UPDATE or ADD, out of the whole tree that is wanted."""

    def __init__(self, account: Account, main: Operation, held: Sequence[Held]) -> None:
        self.account = account
        self.customer = customer_id(account)
        self.main = main
        self.creates = list(creates(main))
        self.planned = {each.ref: each for each in main.objects}
        self.held = {each.ref: each for each in held}
        self.operations: list[dict[str, Any]] = []
        self.objects: list[PlannedObject] = []
        self.sources: dict[str, str] = {}

    def operation(self, found: Difference) -> Operation | None:
        """None where there is nothing to send."""
        new = found.created_refs
        real = self._real_names(new)
        if not any(wanted.type == "campaign" for wanted, _held, _changes in found.changed):
            self.objects.append(_unchanged(self.held["campaign"]))
        for _wanted, old in reversed(found.replaced):
            if not (_is_asset_group(old) and old.type == "ad"):
                self._remove(old)
        changed = [_resolved(self._changes_of(*each), real) for each in found.changed]
        kept = _resolved(
            [(each.operation, each.body, each) for each in self.creates if each.owner in new], real
        )
        for asset in self._needed_assets([changed, kept]):
            self._create(asset.operation, asset.body, asset)
        for group in changed:
            for mutate, source in group:
                self._add(mutate, source)
        for name, body, create in kept:
            self._create(name, body, create)
        return self._built() if self.operations else None

    def _built(self) -> Operation:
        body = {"mutateOperations": self.operations, "partialFailure": False}
        return Operation(
            ref="update:campaign",
            action="update",
            object_type="campaign",
            method=self.main.method,
            path=self.main.path,
            body=body,
            objects=tuple(self.objects),
            bindings=bindings(body),
            sources=self.sources,
        )

    def _real_names(self, new: set[str]) -> dict[str, str]:
        """Temporary resource name -> the real one of what is there already and stays."""
        real = {}
        for each in self.creates:
            there = self.held.get(each.owner)
            if each.resource_name and there is not None and each.owner not in new:
                real[each.resource_name] = self._name_of(there)
        return real

    def _name_of(self, held: Held) -> str:
        return str(resource_name(self.customer, held.type, held.external_id))

    # ---------------------------------------------------------------------------------- pieces

    def _add(self, mutate: Mapping[str, Any], source: str) -> None:
        if source:
            self.sources[f"/mutateOperations/{len(self.operations)}"] = source
        self.operations.append(dict(mutate))

    def _create(self, name: str, body: Mapping[str, Any], create: Create) -> None:
        prefix = f"/mutateOperations/{len(self.operations)}/{name}/create"
        for pointer, field in self.main.sources.items():
            if pointer == create.pointer or pointer.startswith(f"{create.pointer}/"):
                self.sources[prefix + pointer.removeprefix(create.pointer)] = field
        self.operations.append({name: {"create": body}})
        if name in OBJECTS:
            self.objects.append(self.planned[create.owner])
        if name == "assetGroupOperation":
            self.objects.append(self._ad_of(create.owner))

    def _ad_of(self, group: str) -> PlannedObject:
        """The ad that is planned right after its asset group."""
        refs = [each.ref for each in self.main.objects]
        return self.main.objects[refs.index(group) + 1]

    def _group_of(self, wanted: Wanted) -> str:
        """Ref of the object whose creates say what is wanted."""
        return wanted.parent if wanted.type == "ad" and self._groups else wanted.ref

    @property
    def _groups(self) -> bool:
        return any(each.operation == "assetGroupOperation" for each in self.creates)

    def _remove(self, old: Held) -> None:
        """What is replaced goes away in the same request, under another ref than what comes instead."""
        self._add({SWITCHES[old.type]: {"remove": self._name_of(old)}}, "")
        self.objects.append(
            PlannedObject(
                f"old:{old.ref}", old.type, old.name, old.intent, old.external_id, {"status": "ARCHIVED"}
            )
        )

    def _needed_assets(self, bodies: Any) -> list[Create]:
        """Assets of the wanted tree that the bodies show; Google answers with its own for one that it has already."""
        text = json.dumps(bodies, default=lambda each: None)
        return [
            each
            for each in self.creates
            if each.operation == "assetOperation" and f'"{each.resource_name}"' in text
        ]

    # --------------------------------------------------------------------------------- changes

    def _changes_of(
        self, wanted: Wanted, held: Held, changes: Sequence[Change]
    ) -> list[tuple[dict[str, Any], str]]:
        """The mutates that change one object's fields and criteria, each with the ticket field behind it."""
        self.objects.append(
            PlannedObject(
                held.ref, held.type, wanted.name, wanted.intent, held.external_id,
                {each.field: each.after for each in changes},
            )
        )  # fmt: skip
        own = next(each for each in self.creates if each.owner == self._group_of(wanted))
        adopted = {each.field for each in changes if each.after != wanted.fields.get(each.field)}
        out = self._field_updates(held, own, changes, adopted)
        if self._groups and held.type in ("ad_set", "ad"):
            return [*out, *self._links_and_signals(held, own, changes)]
        criteria = [each for each in changes if each.field in CRITERION_TABLES.get(held.type, {})]
        # all that goes first: a place that turns from wanted to excluded keeps its id
        out += [mutate for each in criteria for mutate in self._criteria_gone(held, each)]
        out += [mutate for each in criteria for mutate in self._criteria_come(held, each)]
        return out

    def _field_updates(
        self, held: Held, own: Create, changes: Sequence[Change], adopted: set[str]
    ) -> list[tuple[dict[str, Any], str]]:
        """One update per resource: an ad's content and its AdGroupAd are two. In JSON field masks are in camelCase."""
        masks: dict[str, list[str]] = {}
        updates: dict[str, dict[str, Any]] = {}
        sources: dict[str, str] = {}
        group = own.operation == "assetGroupOperation"
        for change in changes:
            leaves = _group_leaves(held.type, change) if group else _leaves(held.type, change, own.body)
            for name, body_path, mask_path in leaves:
                update = updates.setdefault(name, {"resourceName": self._updated_name(held, name)})
                masks.setdefault(name, []).append(mask_path)
                sources.setdefault(name, change.source)
                value = at(own.body, body_path)
                _put(change.after if change.field in adopted else value, update, mask_path)
        return [
            ({name: {"update": update, "updateMask": ",".join(sorted(set(masks[name])))}}, sources[name])
            for name, update in updates.items()
        ]

    def _updated_name(self, held: Held, operation: str) -> str:
        if operation == "adOperation":
            return f"customers/{self.customer}/ads/{held.external_id.rpartition('~')[2]}"
        return self._name_of(held)

    def _links_and_signals(
        self, held: Held, own: Create, changes: Sequence[Change]
    ) -> list[tuple[dict[str, Any], str]]:
        """What comes first, so that no asset group is left without what it must have."""
        labels = {
            each.resource_name: asset_label(each.body)
            for each in self.creates
            if each.operation == "assetOperation"
        }
        come, gone = [], []
        for change in changes:
            signal = change.field == "signals"
            if not signal and change.field not in LINKS:
                continue
            name, collection = SIGNALS if signal else ASSET_LINKS
            before, after = set(change.before or ()), set(change.after or ())
            for each in self.creates:
                if each.owner == own.owner and each.operation == name:
                    value = signal_value(each.body) if signal else link_value(each.body, labels)
                    fits = signal or each.body["fieldType"] == change.field
                    if fits and value in after - before:
                        come.append(({name: {"create": dict(each.body)}}, change.source))
            base = f"customers/{self.customer}/{collection}/{held.external_id.rpartition('/')[2]}"
            gone += [({name: {"remove": f"{base}~<{change.field}:{value}>"}}, change.source)
                     for value in sorted(before - after)]  # fmt: skip
        return [*come, *gone]

    def _criteria_gone(self, held: Held, change: Change) -> list[tuple[dict[str, Any], str]]:
        """Criteria can't be changed, only taken away and added. The client looks up the ids of those to go."""
        gone = sorted(set(change.before or ()) - set(change.after or ()))
        name = CRITERION_OPERATIONS[held.type]
        return [
            ({name: {"remove": self._criterion_name(held, change.field, value)}}, change.source)
            for value in gone
        ]

    def _criteria_come(self, held: Held, change: Change) -> list[tuple[dict[str, Any], str]]:
        name, table = CRITERION_OPERATIONS[held.type], CRITERION_TABLES[held.type]
        come = set(change.after or ()) - set(change.before or ())
        return [
            ({name: {"create": dict(each.body)}}, self.main.sources.get(each.pointer, change.source))
            for each in self.creates
            if each.owner == held.ref
            and each.operation == name
            and criterion_field(each.body, table) == change.field
            and criterion_value(each.body) in come
        ]

    def _criterion_name(self, held: Held, field: str, value: str) -> str:
        """A criterion by what it is: `customers/1/adGroupCriteria/160~<keywords:EXACT shoes>`."""
        collection = CRITERION_COLLECTIONS[held.type]
        return f"customers/{self.customer}/{collection}/{held.external_id}~<{field}:{value}>"


def _unchanged(campaign: Held) -> PlannedObject:
    """The campaign that a change is about, so that it can be found again, though nothing changes in itself."""
    return PlannedObject(campaign.ref, campaign.type, campaign.name, campaign.intent, campaign.external_id)


def _leaves(object_type: str, change: Change, create: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(operation, path in the create, path in the update) of every leaf that a changed field stands for."""
    if object_type == "campaign" and change.field == BIDDING:
        return [("campaignOperation", path, path) for path in _bidding_leaves(change.after)]
    known = field_named(object_type, change.field)
    if known is None or (change.after is None and change.field in EITHER_OR):
        return []
    if object_type != "ad":
        return [(UPDATES[object_type], path, path) for path in known.masks]
    if not known.path.startswith("ad."):
        return [("adGroupAdOperation", path, path) for path in known.masks]
    return [("adOperation", path, path.removeprefix("ad.")) for path in known.masks]


def _group_leaves(object_type: str, change: Change) -> list[tuple[str, str, str]]:
    known = field_named(object_type, change.field, asset_group=True)
    return [] if known is None else [("assetGroupOperation", known.path, known.path)]


def _bidding_leaves(bidding: Mapping[str, Any]) -> list[str]:
    """Every leaf of the new scheme: a mask that names no leaf can only clear a scheme, not choose it."""
    scheme = str(bidding["scheme"])
    return [f"{scheme}.{leaf}" for leaf in SCHEMES[scheme]] or [scheme]


def _put(value: Any, target: dict[str, Any], path: str) -> None:
    """A value at a path; one that is not there clears the field."""
    if value is None:
        return
    *way, last = path.split(".")
    for part in way:
        target = target.setdefault(part, {})
    target[last] = value


def _resolved(value: Any, real: Mapping[str, str]) -> Any:
    """Temporary resource names replaced by those of what is there."""
    if isinstance(value, Create):
        return value
    if isinstance(value, Mapping):
        return {key: _resolved(each, real) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, real) for each in value]
    if isinstance(value, tuple):
        return tuple(_resolved(each, real) for each in value)
    return real.get(value, value) if isinstance(value, str) else value


# -------------------------------------------------------------------------------------- the switches


def mutate_of(customer: str, operations: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Path and body of an atomic mutate."""
    body = {"mutateOperations": list(operations), "partialFailure": False}
    return f"/{API_VERSION}/customers/{customer}/googleAds:mutate", body


def switch(object_type: str, name: str, status: RunStatus) -> dict[str, Any]:
    """One mutate operation that switches an object; what is archived can't come back."""
    if status == "ARCHIVED":
        return {switch_operation(object_type, name): {"remove": name}}
    update = {"resourceName": name, "status": STATUS[status]}
    return {switch_operation(object_type, name): {"update": update, "updateMask": "status"}}


def switch_operation(object_type: str, name: str) -> str:
    """Ad sets and ads of Performance Max are asset groups."""
    return "assetGroupOperation" if re.search(r"/assetGroups/\d+$", name) else SWITCHES[object_type]


def status_operation(account: Account, held: Held, status: RunStatus) -> Operation:
    customer = customer_id(account)
    name = str(resource_name(customer, held.type, held.external_id))
    path, body = mutate_of(customer, [switch(held.type, name, status)])
    planned = PlannedObject(held.ref, held.type, held.name, held.intent, held.external_id, {"status": status})
    return Operation(
        f"{ACTIONS[status]}:{held.ref}", ACTIONS[status], held.type, "POST", path, body, (planned,)
    )


def rename_operation(account: Account, held: Held, name: str) -> Operation:
    """Campaigns, ad groups and asset groups; ValueError for what can't be renamed."""
    if held.type not in ("campaign", "ad_set"):
        raise ValueError(f"Google Ads can't rename a {held.type}")
    customer = customer_id(account)
    resource = str(resource_name(customer, held.type, held.external_id))
    change = {"update": {"resourceName": resource, "name": name}, "updateMask": "name"}
    path, body = mutate_of(customer, [{switch_operation(held.type, resource): change}])
    planned = PlannedObject(held.ref, held.type, name, held.intent, held.external_id, {"name": name})
    return Operation(f"update:{held.ref}", "update", held.type, "POST", path, body, (planned,))
