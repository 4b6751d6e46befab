"""What is whose: a person reaches the brands and markets that they were granted, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Reach:
    """The (brand id, market id) pairs that a person may see and change; None in a pair means every one."""

    everything: bool
    pairs: frozenset[tuple[int | None, int | None]] = frozenset()

    def within(self, lookups: tuple[str | None, str | None]) -> Q:
        """A filter for a model whose brand and market are found by `lookups` ("campaign__brand_id", …).

        A look-up of None means that the model isn't bound by it; (None, None) is open to every signed-in
        person with any grant.
        """
        if self.everything:
            return Q()
        if not self.pairs:
            return Q(pk__in=[])
        if lookups == (None, None):
            return Q()
        condition = Q(pk__in=[])
        for pair in self.pairs:
            condition |= Q(**_conditions(lookups, pair)) if _conditions(lookups, pair) else ~Q(pk__in=[])
        return condition

    def covers(self, brand_id: int | None, market_id: int | None) -> bool:
        """True where both are granted together. None stands for 'no particular one' and needs a full grant."""
        return self.everything or any(
            brand in (None, brand_id) and market in (None, market_id) for brand, market in self.pairs
        )


def _conditions(
    lookups: tuple[str | None, str | None], pair: tuple[int | None, int | None]
) -> dict[str, int]:
    return {
        lookup: value for lookup, value in zip(lookups, pair, strict=True) if lookup and value is not None
    }


def read_reaches(people: Sequence[Any]) -> None:
    """Keep the reach of all of them at once: one query."""
    from governance.models import Grant

    unread = [each for each in people if not each.is_superuser and not hasattr(each, "_reach")]
    if not unread:
        return
    pairs: dict[int, set[tuple[int | None, int | None]]] = {each.pk: set() for each in unread}
    found = Grant.objects.filter(user__in=list(pairs)).values_list("user_id", "brand_id", "market_id")
    for user_id, brand_id, market_id in found:
        pairs[user_id].add((brand_id, market_id))
    for each in unread:
        own = frozenset(pairs[each.pk])
        each._reach = Reach(everything=(None, None) in own, pairs=own)


def reach_of(user: Any) -> Reach:
    """The person's reach, read once per user object (one request)."""
    if user is None or not user.is_active or not user.is_authenticated:
        return Reach(everything=False)
    if user.is_superuser:
        return Reach(everything=True)
    if not hasattr(user, "_reach"):
        pairs = frozenset(user.grants.values_list("brand_id", "market_id"))
        user._reach = Reach(everything=(None, None) in pairs, pairs=pairs)
    return user._reach
