"""The one mutate request that holds a whole campaign: while it is being built, and taken apart again.

Objects of the same request refer to each other by resource names with negative ids, which must stand
before they are used (platform facts of the project; NewResourceCreationError in the SDK).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trafficking.platforms.base import Operation, PlannedObject
from trafficking.platforms.google_ads.fields import STAND_IN

#: Operations that create what has a life of its own; all others belong to one of these.
OBJECTS = (
    "campaignBudgetOperation",
    "campaignOperation",
    "assetOperation",
    "adGroupOperation",
    "adGroupAdOperation",
    "assetGroupOperation",
)
#: Fields of a create that name what it belongs to.
OWNERS = ("adGroup", "assetGroup", "campaign")


class Tree:
    """Operations, the objects that they create, and where their values came from."""

    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self.operations: list[dict[str, Any]] = []
        self.objects: list[PlannedObject] = []
        self.sources: dict[str, str] = {}
        self._last_id = 0

    def name(self, collection: str, resource_id: str) -> str:
        """Resource name of something that exists already: `customers/1/assets/5`."""
        return f"customers/{self.customer_id}/{collection}/{resource_id}"

    def temporary(self, collection: str) -> str:
        """A fresh resource name for something that this request creates: `customers/1/campaigns/-2`."""
        self._last_id -= 1
        return self.name(collection, str(self._last_id))

    def add(
        self,
        operation: str,
        create: Mapping[str, Any],
        planned: PlannedObject | None,
        sources: Mapping[str, str],
    ) -> None:
        """Append one create. `sources` maps pointers inside `create` to ticket fields; "" is the whole.

        Pointers to what `create` does not have are left out. Criteria and links are no objects of the plan.
        """
        prefix = f"/mutateOperations/{len(self.operations)}/{operation}/create"
        self.operations.append({operation: {"create": create}})
        if planned is not None:
            self.objects.append(planned)
        for pointer, field in sources.items():
            if _present(create, pointer):
                self.sources[prefix + pointer] = field

    def body(self) -> dict[str, Any]:
        """The request body: all or nothing."""
        return {"mutateOperations": self.operations, "partialFailure": False}


@dataclass(frozen=True, slots=True)
class Create:
    """One create of a mutate. `owner` is the ref of the object that it makes, or belongs to."""

    index: int
    operation: str
    body: Mapping[str, Any]
    owner: str

    @property
    def pointer(self) -> str:
        return f"/mutateOperations/{self.index}/{self.operation}/create"

    @property
    def resource_name(self) -> str:
        return str(self.body.get("resourceName", ""))


def creates(operation: Operation) -> Iterator[Create]:
    """The creates of a plan's mutate. New objects stand in the order of the creates that make them."""
    new = iter(each for each in operation.objects if not each.external_id)
    refs: dict[str, str] = {}
    for index, mutate in enumerate(operation.body["mutateOperations"]):
        ((name, change),) = mutate.items()
        if "create" not in change:
            continue
        body = change["create"]
        if name in OBJECTS:
            planned = next(new)
            while planned.type == "ad" and name != "adGroupAdOperation":
                planned = next(new)  # of Performance Max: what it says stands on its asset group
            refs[str(body.get("resourceName", ""))] = planned.ref
            yield Create(index, name, body, planned.ref)
        else:
            yield Create(index, name, body, refs.get(owner_name(body), ""))


def made_at(operation: Operation, sent: Mapping[str, Any]) -> dict[str, int]:
    """Ref of each new object -> place in the body that was sent of the create that makes it.

    What Performance Max says on an ad stands on its asset group, so both are made in one place.
    """
    new = [each for each in operation.objects if not each.external_id]
    places = [
        (index, name)
        for index, mutate in enumerate(sent["mutateOperations"])
        for name, change in mutate.items()
        if name in OBJECTS and "create" in change
    ]
    found: dict[str, int] = {}
    at = iter(places)
    group = -1
    has_ads = any(name == "adGroupAdOperation" for _, name in places)
    for planned in new:
        if planned.type == "ad" and not has_ads:
            found[planned.ref] = group
            continue
        index, name = next(at)
        group = index if name == "assetGroupOperation" else group
        found[planned.ref] = index
    return found


def with_asset_names(value: Any, customer: str) -> Any:
    """The body with bare asset ids, as uploads bring them, as resource names."""
    if isinstance(value, Mapping):
        return {
            key: f"customers/{customer}/assets/{each}"
            if key == "asset" and isinstance(each, str) and each.isdigit()
            else with_asset_names(each, customer)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [with_asset_names(each, customer) for each in value]
    return value


def owner_name(body: Mapping[str, Any]) -> str:
    """Resource name of what a criterion or link belongs to."""
    return next((str(body[name]) for name in OWNERS if name in body), "")


def bindings(value: Any, pointer: str = "") -> dict[str, str]:
    """JSON pointers of all stand-ins for uploads in a body, with the refs that they wait for."""
    if isinstance(value, str):
        stood = STAND_IN.fullmatch(value)
        return {pointer: stood[1]} if stood else {}
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    found: dict[str, str] = {}
    for key, each in parts:
        found |= bindings(each, f"{pointer}/{key}")
    return found


def _present(value: Any, pointer: str) -> bool:
    """Whether a JSON pointer leads to something in `value`."""
    for part in pointer.split("/")[1:]:
        if isinstance(value, list):
            if not part.isdigit() or int(part) >= len(value):
                return False
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return False
    return True
