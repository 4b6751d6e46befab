"""The one mutate request that holds a whole campaign, while it is being built.

Objects of the same request refer to each other by resource names with negative ids, which must stand
before they are used (platform facts of the project; NewResourceCreationError in the SDK).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trafficking.platforms.base import PlannedObject


class Tree:
    """Operations, the objects that they create (aligned), and where their values came from."""

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
        self, operation: str, create: Mapping[str, Any], planned: PlannedObject, sources: Mapping[str, str]
    ) -> None:
        """Append one create. `sources` maps pointers inside `create` to ticket fields; "" is the whole.

        Pointers to what `create` does not have are left out.
        """
        prefix = f"/mutateOperations/{len(self.operations)}/{operation}/create"
        self.operations.append({operation: {"create": create}})
        self.objects.append(planned)
        for pointer, field in sources.items():
            if _present(create, pointer):
                self.sources[prefix + pointer] = field

    def body(self) -> dict[str, Any]:
        """The request body: all or nothing."""
        return {"mutateOperations": self.operations, "partialFailure": False}


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
