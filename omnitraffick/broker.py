"""The embedded broker: kombu's filesystem transport, with messages that appear and disappear in one step.

The stock transport opens a message's file before it writes it, and moves it through the system's temporary folder:
a worker that looks in between reads half a message and stops. Here a message is written beside the queue and
renamed into it, and claimed by a rename within the same file system. The stock transport also creates the file of an
exchange's queues before it locks it, so that whoever starts at the same moment reads an empty one and stops: here a lock
of its own stands around that file.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    @contextmanager
    def _table_lock(self, kind: int) -> Iterator[None]:
        with (self.control_folder / "table.lock").open("a") as file:
            fcntl.flock(file, kind)  # given back when the file closes
            yield

    def get_table(self, exchange: str) -> Any:
        with self._table_lock(fcntl.LOCK_SH):
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self._table_lock(fcntl.LOCK_EX):
            super()._queue_bind(*args)

    def _delete(self, *args: Any, **kwargs: Any) -> None:
        with self._table_lock(fcntl.LOCK_EX):
            super()._delete(*args, **kwargs)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu's own
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"  # sorts by time
        folder = Path(self.data_folder_out)
        partial = folder / f"{name}.partial"
        partial.write_text(dumps(payload))
        partial.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):  # noqa: PTH208  (names are enough, and faster)
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            claimed = Path(self.processed_folder) / name
            try:
                (Path(self.data_folder_in) / name).rename(claimed)
            except FileNotFoundError:
                continue  # another worker was first
            payload = claimed.read_bytes()
            claimed.unlink()
            return loads(bytes_to_str(payload))
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        # kombu shares this among threads, and notes a queue as bound before it is: others would send into nothing
        self.state = virtual.BrokerState()


def install() -> None:
    """`filesystem://` means this transport from now on."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
