"""Fetching an address that a person wrote: from real servers on this machine, let in by an argument."""

from __future__ import annotations

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from governance.addresses import is_public
from governance.findings import Finding
from governance.tables import Refused
from trafficking.media.fetch import Bounds, Network, fetch, read_url

LOOPBACK = ipaddress.ip_address("127.0.0.1")
PLAIN = Bounds(seconds=5, http=True)
CONTENT = b"\x89PNG" + bytes(200_000)


class Shop(BaseHTTPRequestHandler):
    """Paths say how it answers."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]] = []

    def do_GET(self) -> None:
        type(self).seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        getattr(self, "_" + self.path.split("/")[1].partition("?")[0].partition(".")[0].replace("%20", "_"))()

    def _boat(self, content: bytes = CONTENT, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def _gone(self) -> None:
        self._boat(b"gone", 404)

    def _packed(self) -> None:
        self._boat(Content_Encoding="gzip")

    def _cookie(self) -> None:
        self._boat(b"", 302, Location="/boat.png", Set_Cookie="a=b; Path=/")

    def _around(self) -> None:
        self._boat(b"", 302, Location="/around")

    def _hop(self) -> None:
        left = int(self.path.rpartition("/")[2])
        self._boat(b"", 307, Location=f"/hop/{left - 1}" if left else "/boat.png")

    def _inside(self) -> None:
        self._boat(b"", 301, Location=f"http://metadata.test:{self.server.server_port}/boat.png")

    def _file(self) -> None:
        self._boat(b"", 302, Location="file:///etc/passwd")

    def _cut(self) -> None:
        self._boat(CONTENT[:100], Content_Length="5000")
        self.close_connection = True

    def _chunked(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n")

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        self._slowly(lambda: self.wfile.write(b"x"))

    def _headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._slowly(lambda: self.wfile.write(b"X-More: yes\r\n"))

    def _slowly(self, act: Callable[[], object]) -> None:
        self.close_connection = True
        for _ in range(200):
            try:
                act()
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:
        return None


@contextmanager
def shop(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Shop.seen = []
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def here(host: str, port: int) -> list[ipaddress.IPv4Address]:
    """Every name is this machine; what is called metadata is inside."""
    return [ipaddress.ip_address("169.254.169.254" if host == "metadata.test" else "127.0.0.1")]


def lets_in(address: object) -> bool:
    return address == LOOPBACK


LOCAL = Network(resolve=here, permits=lets_in)


def fetched(path: str, *, bounds: Bounds = PLAIN, network: Network = LOCAL) -> tuple[str, bytes]:
    taken: list[bytes] = []
    with shop() as port:
        name = fetch(f"http://shop.test:{port}{path}", taken.append, bounds, network)
    return name, b"".join(taken)


def refusal(path: str, **options) -> Finding:
    with pytest.raises(Refused) as refused:
        fetched(path, **options)
    return refused.value.findings[0]


def test_a_file_is_fetched_with_its_name():
    assert fetched("/boat.png?size=big") == ("boat.png", CONTENT)
    path, headers = Shop.seen[0]
    assert path == "/boat.png?size=big" and headers["accept-encoding"] == "identity"
    assert headers["host"].startswith("shop.test:") and "authorization" not in headers


def test_chunks_and_odd_names_are_read():
    assert fetched("/chunked")[1] == b"hello" + b"you"
    assert fetched("/boat.png/Grüße%201.png")[0] == "Grüße 1.png"


def test_redirects_are_followed_three_times_and_no_further():
    assert fetched("/hop/2") == ("boat.png", CONTENT)
    assert refusal("/hop/3").code == "media.url_redirects"
    assert refusal("/around").code == "media.url_redirects"


def test_no_cookie_is_carried_on():
    fetched("/cookie")
    assert [path for path, _headers in Shop.seen] == ["/cookie", "/boat.png"]
    assert "cookie" not in Shop.seen[1][1]


def test_no_proxy_is_used(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched("/boat.png")[1] == CONTENT


def test_a_redirect_to_the_inside_is_refused_and_not_asked():
    found = refusal("/inside")
    assert (found.code, found.params["address"]) == ("media.url_forbidden", "169.254.169.254")
    assert [path for path, _headers in Shop.seen] == ["/inside"]


def test_a_redirect_to_another_scheme_is_refused():
    assert refusal("/file").code == "media.url_scheme"


def test_one_address_inside_refuses_them_all():
    both = Network(resolve=lambda host, port: [LOOPBACK, ipaddress.ip_address("10.0.0.1")], permits=lets_in)
    assert refusal("/boat.png", network=both).code == "media.url_forbidden"
    assert Shop.seen == []


def test_a_name_that_changes_its_address_meanwhile_is_looked_up_once():
    answers = iter([[LOOPBACK]])  # a second look-up would fail
    assert fetched("/boat.png", network=Network(lambda h, p: next(answers), lets_in))[1] == CONTENT


def test_by_itself_this_machine_is_not_fetched_from():
    with shop() as port:
        for host in (
            "127.0.0.1",
            "localhost",
            "0x7f000001",
            "2130706433",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ):
            with pytest.raises(Refused) as refused:
                fetch(f"http://{host}:{port}/boat.png", bytes, PLAIN)
            assert refused.value.findings[0].code in ("media.url_forbidden", "media.url_no_host"), host
        assert Shop.seen == []
    assert Network().permits is is_public


@pytest.mark.parametrize(("path", "code"), [
    ("/gone", "media.url_status"), ("/packed", "media.url_encoded"), ("/cut", "media.url_cut"),
])  # fmt: skip
def test_what_is_no_whole_file_is_refused(path, code):
    assert refusal(path).code == code


@pytest.mark.parametrize("path", ["/drip", "/headers"])
def test_a_host_that_sends_drop_by_drop_is_left_in_time(path):
    began = time.monotonic()
    assert refusal(path, bounds=Bounds(seconds=0.6, http=True)).code == "media.url_too_slow"
    assert time.monotonic() - began < 3


def test_the_reader_can_stop_it_and_its_own_errors_are_its_own():
    def full(chunk: bytes) -> None:
        raise OSError("no space left on device")

    with shop() as port, pytest.raises(OSError, match="no space"):
        fetch(f"http://shop.test:{port}/boat.png", full, PLAIN, LOCAL)


def test_nobody_there_is_told():
    with shop() as port:
        pass
    with pytest.raises(Refused) as refused:
        fetch(f"http://shop.test:{port}/boat.png", bytes, PLAIN, LOCAL)
    assert refused.value.findings[0].code == "media.url_unreachable"


def test_a_name_without_address_is_told():
    def nowhere(host: str, port: int) -> list:
        raise OSError("no such name")

    assert refusal("/boat.png", network=Network(nowhere, lets_in)).code == "media.url_no_host"


@pytest.mark.parametrize(("url", "code"), [
    ("ftp://shop.test/a", "media.url_scheme"), ("file:///etc/passwd", "media.url_scheme"), ("shop.test/a.png", "media.url_scheme"),
    ("http://shop.test/a.png", "media.url_scheme"), ("", "media.url_scheme"), ("gopher://shop.test:70/1", "media.url_scheme"),
    ("https://ana:secret@shop.test/a.png", "media.url_credentials"), ("https://ana@shop.test/", "media.url_credentials"),
    ("https://shop.test:25/a", "media.url_port"), ("https://shop.test:22/a", "media.url_port"),
    ("https:///a.png", "media.url_malformed"), ("https://shop.test:99999/a", "media.url_malformed"),
    ("https://[::1/a", "media.url_malformed"), ("https://shop.test/a b", "media.url_malformed"),
    ("https://shop.test/a\r\nHost: other", "media.url_malformed"), ("https://" + "a" * 300 + ".test/", "media.url_malformed"),
])  # fmt: skip
def test_an_address_that_is_not_fetched_says_why(url, code):
    with pytest.raises(Refused) as refused:
        read_url(url, Bounds(seconds=1))
    [found] = refused.value.findings
    assert found.code == code and found.message != code
    assert "secret" not in found.message + str(found.params)


# ---------------------------------------------------------------------------------------------- TLS


def certificate(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the server's context, a client's that trusts it)."""
    import tempfile

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        server.load_cert_chain(file.name)
    return server, ssl.create_default_context(cadata=pem.decode())


def test_tls_is_for_the_name_though_the_connection_goes_to_the_number():
    server, trust = certificate("shop.test")
    network = Network(here, lets_in, trust)
    taken: list[bytes] = []
    with shop(server) as port:
        assert fetch(f"https://shop.test:{port}/boat.png", taken.append, Bounds(5), network) == "boat.png"
        assert b"".join(taken) == CONTENT
        with pytest.raises(Refused) as refused:
            fetch(f"https://other.test:{port}/boat.png", taken.append, Bounds(5), network)
    assert refused.value.findings[0].code == "media.url_unreachable"
    assert "TLS" in refused.value.findings[0].params["reason"]


def test_a_certificate_that_nobody_vouches_for_is_refused():
    server, _trust = certificate("shop.test")
    with shop(server) as port, pytest.raises(Refused) as refused:
        fetch(f"https://shop.test:{port}/boat.png", bytes, Bounds(5), LOCAL)
    assert "TLS" in refused.value.findings[0].params["reason"]
