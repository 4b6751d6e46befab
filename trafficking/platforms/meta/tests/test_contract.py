from __future__ import annotations

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.contract import PlatformContract
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import automated_ticket, big_ticket


class TestMeta(PlatformContract):
    platform = PLATFORM
    sandbox_class = MetaSandbox

    def ticket(self) -> TicketSnapshot:
        return big_ticket()


class TestAdvantagePlus(TestMeta):
    def ticket(self) -> TicketSnapshot:
        return automated_ticket()
