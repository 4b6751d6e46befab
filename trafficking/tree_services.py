"""A ticket with its ad sets and ads as one thing: one transaction, one version, one return to DRAFT."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, write_many
from trafficking.models import Ad, AdSet, Ticket
from trafficking.models.tree import TicketPart

#: Set by the house, never from a draft; all other columns of a part are content.
_OURS = frozenset(
    {"id", "public_id", "intent_id", "version", "created_at", "updated_at", "archived_at", "governed_name", "name_key",
     "external_id", "creative_external_id", "ticket", "ad_set"}
)  # fmt: skip


@dataclass(slots=True)
class AdDraft:
    """`values` by model field. `id` or `intent_id` names the one that stands; neither: a new one."""

    values: Mapping[str, Any]
    id: uuid.UUID | None = None
    intent_id: uuid.UUID | None = None


@dataclass(slots=True)
class AdSetDraft(AdDraft):
    """`ads` None: its ads stay as they are."""

    ads: Sequence[AdDraft] | None = None


@dataclass(slots=True)
class _Errors:
    """By path: `ad_sets[0].ads[1].name`."""

    by_path: dict[str, list[ValidationError]] = field(default_factory=lambda: defaultdict(list))

    def collect(self, path: str, error: ValidationError) -> None:
        by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, found in by_field.items():
            where = ".".join(part for part in (path, "" if name == NON_FIELD_ERRORS else name) if part)
            self.by_path[where or NON_FIELD_ERRORS].extend(found)

    def raise_any(self) -> None:
        if self.by_path:
            raise ValidationError(dict(self.by_path))


def save_tree(*, ticket: Ticket, ad_sets: Sequence[AdSetDraft] | None = None) -> Ticket:
    """Save the ticket, and make its ad sets and ads exactly these (None: they stay, with names that fit).

    What a draft leaves out gets the model's default; what no draft names is deleted. Raises ValidationError
    with all that is wrong by path, or StaleVersion; then nothing has changed.
    """
    return _saved(ticket, _whole_tree(ticket, ad_sets) if ad_sets is not None else _standing_tree(ticket))


def patch_tree(*, ticket: Ticket, ad_sets: Sequence[AdSetDraft]) -> Ticket:
    """Save the ticket, change the ad sets and ads that are named, add those that are new, keep all others."""
    return _saved(ticket, _patched_tree(ticket, ad_sets))


def is_tree(ticket: Ticket, drafts: Sequence[AdSetDraft]) -> bool:
    """Whether the ticket's ad sets and ads are exactly these already."""
    tree = _whole_tree(ticket, drafts)
    nodes = [*tree.nodes, *(ad for node in tree.nodes for ad in node.ads)]
    return not tree.gone and not tree.errors.by_path and all(_is_kept(node) for node in nodes)


@dataclass(slots=True)
class _Node:
    """A part as it shall be, and for an ad set the ads below it, with the place that each has in what was sent."""

    row: Any
    path: str
    before: dict[str, Any] | None
    ads: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Tree:
    nodes: list[_Node]
    gone: list[TicketPart]
    errors: _Errors


def _saved(ticket: Ticket, tree: _Tree) -> Ticket:
    errors = tree.errors
    with transaction.atomic():
        try:
            ticket.save()
        except ValidationError as error:
            if getattr(error, "code", None) in ("stale_version", "not_editable"):
                raise
            errors.collect("", error)
        _check(ticket, tree)
        errors.raise_any()
        _write(ticket, tree)
    return ticket


# ------------------------------------------------------------------------- from drafts to a tree


def _standing(ticket: Ticket) -> list[AdSet]:
    if ticket._state.adding:
        return []
    rows = list(AdSet.objects.filter(ticket=ticket).prefetch_related("ads"))
    for row in rows:
        row.ticket = ticket
    return rows


def _standing_tree(ticket: Ticket) -> _Tree:
    return _patched_tree(ticket, [])


def _whole_tree(ticket: Ticket, drafts: Sequence[AdSetDraft]) -> _Tree:
    errors, standing = _Errors(), _standing(ticket)
    nodes, used = [], set()
    for at, draft in enumerate(drafts):
        path = f"ad_sets[{at}]"
        row = _found(standing, draft, path, errors)
        node = _node(row, AdSet(ticket=ticket), draft, path, at, _fresh_values(AdSet))
        used.add(node.row.pk)
        node.ads = _whole_ads(node, draft, errors)
        nodes.append(node)
    gone: list[TicketPart] = [row for row in standing if row.pk not in used]
    kept_ads = {ad.row.pk for node in nodes for ad in node.ads}
    gone += [ad for row in standing if row.pk in used for ad in row.ads.all() if ad.pk not in kept_ads]
    return _Tree(nodes, gone, errors)


def _whole_ads(node: _Node, draft: AdSetDraft, errors: _Errors) -> list[_Node]:
    ads = _ads_of(node.row)
    if draft.ads is None:
        return [_kept(ad, f"{node.path}.ads") for ad in ads]
    return [
        _ad_node(node, ads, each, at, errors, _fresh_values(Ad)) for at, each in enumerate(draft.ads)
    ]  # fmt: skip


def _patched_tree(ticket: Ticket, drafts: Sequence[AdSetDraft]) -> _Tree:
    errors, standing = _Errors(), _standing(ticket)
    nodes = {row.pk: _kept(row, "ad_sets") for row in standing}
    for node in nodes.values():
        node.ads = [_kept(ad, "ads") for ad in _ads_of(node.row)]
    added = []
    for at, draft in enumerate(drafts):
        path = f"ad_sets[{at}]"
        row = _found(standing, draft, path, errors)
        if row is None:
            node = _node(None, AdSet(ticket=ticket), draft, path, len(standing) + at, {})
            added.append(node)
        else:
            node = nodes[row.pk]
            node.path = path
            _set(node.row, draft.values)
        _patch_ads(node, draft, errors)
    return _Tree([*nodes.values(), *added], [], errors)


def _patch_ads(node: _Node, draft: AdSetDraft, errors: _Errors) -> None:
    ads = [each.row for each in node.ads]
    for at, each in enumerate(draft.ads or ()):
        path = f"{node.path}.ads[{at}]"
        row = _found(ads, each, path, errors)
        if row is None:
            node.ads.append(_node(None, Ad(ad_set=node.row), each, path, len(ads) + at, {}))
            continue
        known = next(other for other in node.ads if other.row is row)
        known.path = path
        _set(row, each.values)


def _ad_node(
    node: _Node, ads: Sequence[Ad], draft: AdDraft, at: int, errors: _Errors, fresh: Mapping[str, Any]
) -> _Node:
    path = f"{node.path}.ads[{at}]"
    return _node(_found(ads, draft, path, errors), Ad(ad_set=node.row), draft, path, at, fresh)


def _node(row: Any, new: Any, draft: AdDraft, path: str, position: int, fresh: Mapping[str, Any]) -> _Node:
    before = _content(row) if row is not None else None
    target = row if row is not None else new
    if row is None and draft.intent_id:
        target.intent_id = draft.intent_id
    _set(target, {**fresh, "position": position, **draft.values})
    return _Node(target, path, before)


def _kept(row: Any, path: str) -> _Node:
    return _Node(row, path, _content(row))


def _ads_of(row: AdSet) -> list[Ad]:
    if row._state.adding:
        return []
    ads = list(row.ads.all())
    for ad in ads:
        ad.ad_set = row
    return ads


def _found(rows: Sequence[Any], draft: AdDraft, path: str, errors: _Errors) -> Any | None:
    """The standing part that the draft names; a public id that is not in this ticket is an error."""
    if draft.id is not None:
        row = next((each for each in rows if each.public_id == draft.id), None)
        if row is None:
            error = ValidationError(_("This ticket has no such part."), code="does_not_exist")
            errors.collect(path, ValidationError({"id": error}))
        return row
    if draft.intent_id is not None:
        return next((each for each in rows if each.intent_id == draft.intent_id), None)
    return None


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def content_fields(model: type[Any]) -> list[Any]:
    """The columns of an ad set or ad that a draft may set."""
    return [each for each in model._meta.concrete_fields if each.name not in _OURS]


def _content(row: Any) -> dict[str, Any]:
    return {each.name: getattr(row, each.name) for each in content_fields(type(row))} | {
        "governed_name": row.governed_name
    }


def _fresh_values(model: type[Any]) -> dict[str, Any]:
    return {each.name: each.get_default() for each in content_fields(model) if each.name != "name"}


# -------------------------------------------------------------------------------------- checks


def _check(ticket: Ticket, tree: _Tree) -> None:
    for node in tree.nodes:
        node.row.ticket = ticket
        named = _check_part(node, tree.errors)
        for ad in node.ads:
            _check_part(ad, tree.errors) if named else _check_fields(ad, tree.errors)
        _check_siblings(node.ads, tree.errors, _("Another ad of this ad set has that name."))
    _check_siblings(tree.nodes, tree.errors, _("Another ad set of this ticket has that name."))


def _check_part(node: _Node, errors: _Errors) -> bool:
    """Names and content; False where it could not be named."""
    if not _nameable(node.row.owning_ticket()):
        _check_fields(node, errors)
        return False
    try:
        node.row.build_name()
        named = True
    except ValidationError as error:
        errors.collect(node.path, error)
        named = False
    _check_fields(node, errors)
    return named


def _nameable(ticket: Ticket) -> bool:
    """What names are made of is there; in a campaign that is made together with its ticket it may not be."""
    campaign = getattr(ticket, "campaign", None)
    known = campaign is not None and campaign.brand_id and campaign.market_id and campaign.start_on
    return bool(known and ticket.channel_id)


def _check_fields(node: _Node, errors: _Errors) -> None:
    """What the part's own full_clean asks, but for the rows above it, which are at hand, and its siblings."""
    for check in (lambda: TicketPart.clean_fields(node.row, exclude=_OURS), node.row.clean):
        try:
            check()
        except ValidationError as error:
            errors.collect(node.path, error)


def _check_siblings(nodes: Sequence[_Node], errors: _Errors, text: Any) -> None:
    names: set[str] = set()
    intents: set[uuid.UUID] = set()
    for node in nodes:
        if node.row.name_key and node.row.name_key in names:
            errors.collect(node.path, ValidationError({"name": ValidationError(text, code="name_taken")}))
        if node.row.intent_id in intents:
            error = ValidationError(_("The same part stands there twice."), code="duplicate")
            errors.collect(node.path, ValidationError({"id": error}))
        names.add(node.row.name_key)
        intents.add(node.row.intent_id)


# --------------------------------------------------------------------------------------- writes


def _write(ticket: Ticket, tree: _Tree) -> None:
    """Deletions first, so that a name that becomes free can be taken; children without touching the ticket again."""
    for row in tree.gone:
        super(TicketPart, row).delete()
    for node in tree.nodes:
        _write_changed(node)
        for ad in node.ads:
            _write_changed(ad)
    write_many([node.row for node in tree.nodes if node.row._state.adding])
    for node in tree.nodes:
        for ad in node.ads:
            ad.row.ad_set_id = node.row.pk
    write_many([ad.row for node in tree.nodes for ad in node.ads if ad.row._state.adding])


def _write_changed(node: _Node) -> None:
    if node.before is not None and not _is_kept(node):
        GovernedModel.save(node.row)


def _is_kept(node: _Node) -> bool:
    return node.before is not None and node.before == _content(node.row)
