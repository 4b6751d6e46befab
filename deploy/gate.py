"""What every call to a platform passes first: the kill switches, the account's rate budget, the worker's lease."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from deploy import stops, throttle
from governance.models import AdAccount

Share = Literal["deploy", "reads", "urgent"]


@dataclass(slots=True)
class Gate:
    """Called before each HTTP request; raises `stops.Stopped` or `throttle.Wait`, or what `still_ours` raises.

    The urgent share passes standing stops: it is how they are carried out. Reads pass them, too.
    """

    account: AdAccount
    share: Share = "deploy"
    brand_id: int | None = None
    still_ours: Callable[[], None] | None = None

    def __call__(self) -> None:
        if self.share == "deploy":
            stops.refuse_stopped(self.account, self.brand_id)
        self._take()
        if self.still_ours is not None:
            self.still_ours()

    def _take(self) -> None:
        """A moment is waited for in place: handing the work back and taking it up again would cost more."""
        try:
            throttle.take(self.account, self.share)
        except throttle.Wait as wait:
            if wait.after > settings.GATE_PATIENCE_S:
                raise
            time.sleep(wait.after)
            throttle.take(self.account, self.share)
