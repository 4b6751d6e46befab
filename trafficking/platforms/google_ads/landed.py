"""After a lost answer: which of the planned objects are on the platform, recognised by what they are.

Campaigns and ad groups are found by their governed names. Search and display ads have no name on Google (Ad.name
"is currently only supported for […] DemandGen ads", ad.py v26): they are recognised by their contents, the closest
one first. The mutate is atomic, so what is there in part is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trafficking.platforms.base import Live, Operation, PlannedObject, Wanted
from trafficking.platforms.google_ads.fields import asset_label
from trafficking.platforms.google_ads.resources import external_id
from trafficking.platforms.google_ads.tree import creates
from trafficking.platforms.google_ads.wanted import made_by

#: An ad is taken for ours when more than this share of what the plan says of it is found on it.
ENOUGH = 0.5


def match(
    operation: Operation, lives: Sequence[Live], labels: Mapping[str, str], taken: Iterable[str]
) -> dict[str, str]:
    """External id by ref of each new object that is there. `taken` are ids that can't be it."""
    ids = _assets(operation, labels)
    free = [each for each in lives if each.external_id not in set(taken)]
    for wanted in sorted(made_by(operation), key=lambda each: each.type == "ad"):
        if wanted.type != "ad":
            _claim(wanted, [each for each in free if _is_named(wanted, each, ids)], ids)
    ads = [each for each in made_by(operation) if each.type == "ad"]
    _claim_ads(ads, [each for each in free if each.type == "ad"], ids)
    return ids


def new_refs(operation: Operation) -> set[str]:
    return {each.ref for each in operation.objects if not each.external_id}


def agrees(planned: PlannedObject, lives: Mapping[tuple[str, str], Live]) -> bool:
    """Whether a change left behind what it was to leave behind. Keys of `lives` are (type, external id)."""
    live = lives.get((planned.type, planned.external_id))
    if live is None:
        return planned.expect.get("status") == "ARCHIVED"
    found = {**live.fields, "status": live.status}
    if live.name and "name" not in found:
        found["name"] = live.name
    return all(found.get(name) == value for name, value in planned.expect.items())


def _assets(operation: Operation, labels: Mapping[str, str]) -> dict[str, str]:
    by_label = {text: name for name, text in labels.items()}
    made = {each.owner: by_label.get(asset_label(each.body)) for each in creates(operation)
            if each.operation == "assetOperation"}  # fmt: skip
    return {ref: str(external_id(name)) for ref, name in made.items() if name}


def _is_named(wanted: Wanted, live: Live, ids: Mapping[str, str]) -> bool:
    if live.type != wanted.type or not _under(wanted, live, ids):
        return False
    return wanted.type == "budget" or live.name == wanted.name


def _under(wanted: Wanted, live: Live, ids: Mapping[str, str]) -> bool:
    """Whether it hangs under the planned parent: a ref of the plan, or the resource name of what was there before."""
    parent = ids.get(wanted.parent) or external_id(wanted.parent) or ""
    return live.parent_id == parent


def _claim(wanted: Wanted, candidates: Sequence[Live], ids: dict[str, str]) -> None:
    if candidates:
        ids[wanted.ref] = candidates[0].external_id


def _claim_ads(ads: Sequence[Wanted], lives: Sequence[Live], ids: dict[str, str]) -> None:
    """The closest pairs first, each ad once."""
    pairs = sorted(
        ((_likeness(ad, live), index, ad, live) for index, ad in enumerate(ads) for live in lives
         if _under(ad, live, ids)),
        key=lambda pair: (-pair[0], pair[1]),
    )  # fmt: skip
    claimed: set[str] = set()
    for likeness, _index, ad, live in pairs:
        if likeness > ENOUGH and ad.ref not in ids and live.external_id not in claimed:
            ids[ad.ref] = live.external_id
            claimed.add(live.external_id)


def _likeness(wanted: Wanted, live: Live) -> float:
    """Share of the planned fields that the ad has just so."""
    if not wanted.fields:
        return 1.0
    return sum(live.fields.get(name) == value for name, value in wanted.fields.items()) / len(wanted.fields)
