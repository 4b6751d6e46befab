"""The embedded broker hands over whole messages, each once, and leaves no files behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from kombu import Connection

from omnitraffick import broker


@pytest.fixture
def options(tmp_path: Path) -> dict[str, str]:
    for name in ("queue", "processed", "control"):
        (tmp_path / name).mkdir()
    return {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "processed_folder": str(tmp_path / "processed"),
        "control_folder": str(tmp_path / "control"),
        "queue": f"test-{tmp_path.name}",  # kombu remembers bindings by queue for the whole process
    }


def connection(options: dict[str, str]) -> Connection:
    return Connection("filesystem://", transport=broker.Transport, transport_options=options)


def drain(options: dict[str, str], into: list[int], lock: threading.Lock) -> None:
    with connection(options) as here:
        queue = here.SimpleQueue(options["queue"])
        while True:
            try:
                message = queue.get(timeout=0.5)
            except queue.Empty:
                return
            with lock:
                into.append(message.payload["number"])
            message.ack()


def test_those_who_start_at_the_same_moment_see_whole_tables(options: dict[str, str]) -> None:
    """The stock transport fails here: a second one reads the file that the first has only just created."""
    failures: list[BaseException] = []
    together = threading.Barrier(8)

    def bind(number: int) -> None:
        with connection(options) as here:
            channel = here.channel()
            together.wait()
            try:
                channel._queue_bind("exchange", "", "", f"queue-{number}")
                channel.get_table("exchange")
            except Exception as error:  # whatever it is, it is the defect
                failures.append(error)

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []
    with connection(options) as here:
        assert {row[2] for row in here.channel().get_table("exchange")} == {f"queue-{n}" for n in range(8)}


def test_two_writers_and_two_readers_lose_and_double_nothing(options: dict[str, str], tmp_path: Path) -> None:
    received: list[int] = []
    lock = threading.Lock()

    def send(numbers: range) -> None:
        with connection(options) as here:
            queue = here.SimpleQueue(options["queue"])
            for number in numbers:
                queue.put({"number": number, "padding": "x" * 5_000})

    threads = [threading.Thread(target=send, args=(part,)) for part in (range(100), range(100, 200))]
    threads += [threading.Thread(target=drain, args=(options, received, lock)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(received) == list(range(200))
    assert list((tmp_path / "queue").iterdir()) == []
    assert list((tmp_path / "processed").iterdir()) == []


def test_messages_keep_their_order(options: dict[str, str]) -> None:
    with connection(options) as here:
        queue = here.SimpleQueue(options["queue"])
        for number in range(5):
            queue.put({"number": number})
        order = []
        for _ in range(5):
            message = queue.get(timeout=1)
            order.append(message.payload["number"])
            message.ack()
    assert order == [0, 1, 2, 3, 4]


def test_a_half_written_message_is_not_seen(options: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "queue" / "1_abc.partial").write_text('{"half":')
    with connection(options) as here:
        queue = here.SimpleQueue(options["queue"])
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.2)


def test_the_filesystem_address_means_this_transport() -> None:
    from omnitraffick.celery import app

    with app.connection_for_write() as here:
        wanted = broker.Transport if here.as_uri().startswith("filesystem") else type(here.transport)
        assert isinstance(here.transport, wanted)
