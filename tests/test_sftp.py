"""SFTP against an OpenSSH server that is wrong, away, slow, killed, or not the one that it should be."""

import pickle
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pepforms import files
from pepforms.deliver import Receipt
from pepforms.deliver.sftp import Sftp
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Unavailable

PUTTING = Path(__file__).parent / "deliver" / "putting.py"
NAME = "900005_PEP_2026-27_AUT_2026-11-10_PEP-0005-A26_v1.pdf"
LARGE = b"%PDF-1.7 an invented record\n" * 100_000
HALFWAY = len(LARGE) // 2
HASTE = 1.0
"""Seconds for a step, where a server is slow on purpose."""


@pytest.fixture
def server(servers: ModuleType, tmp_path: Path) -> Iterator[Any]:
    with servers.serving(tmp_path / "server") as server:
        yield server


def put(account: Sftp, data: bytes = LARGE) -> Receipt:
    with account.opened() as destination:
        return destination.put(NAME, data, sha256=sha256(data))


def fault(account: Sftp) -> PepformsError:
    with pytest.raises(PepformsError) as caught:
        put(account)
    return caught.value


def arrived(server: Any) -> bool:
    return [path.name for path in server.root.iterdir()] == [NAME] and (server.root / NAME).read_bytes() == LARGE


def half(server: Any) -> int:
    """How much of the file lies there under the name of an upload that broke off; the file itself must not."""
    (path,) = server.root.iterdir()
    assert path.name.startswith(files.UNFINISHED)
    assert not path.name.endswith(".pdf")
    return path.stat().st_size


# --- the two keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_each_kind_log_in_with_a_passphrase_and_without(server: Any, servers: ModuleType, kind: str) -> None:
    folder = server.key.parent
    secret = folder / "passphrase"
    secret.write_text("an invented passphrase\r\n")
    for name, passphrase, file in (("plain", "", None), ("locked", "an invented passphrase", secret)):
        key = servers.key(folder / f"{kind}-{name}", kind, passphrase)
        (folder / "authorized").write_text(servers.public(key))
        with server.account(key_file=key, passphrase_file=file).opened() as destination:
            assert destination.holds(NAME, "0" * 64) == "nothing"


def test_a_key_that_the_server_does_not_know_is_the_operators_matter(server: Any, servers: ModuleType) -> None:
    told = fault(server.account(key_file=servers.key(server.key.parent / "stranger")))
    assert (told.slug, told.exit_code) == ("wrong-key", 78)
    assert "public half" in str(told)


def test_no_key_is_asked_of_an_agent(server: Any, servers: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = servers.key(server.key.parent / "stranger")
    agent = server.key.parent / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as running:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
            while not agent.exists():
                time.sleep(0.01)
            subprocess.run(["ssh-add", "-q", server.key], check=True)
            assert fault(server.account(key_file=stranger)).slug == "wrong-key"
        finally:
            running.kill()


@pytest.mark.parametrize("passphrase", ["", "a wrong passphrase"])
def test_a_key_file_that_does_not_open_is_told_without_its_passphrase(
    server: Any, servers: ModuleType, passphrase: str
) -> None:
    key = servers.key(server.key.parent / "locked", "ed25519", "the right passphrase")
    secret = server.key.parent / "passphrase"
    secret.write_text(passphrase)
    account = server.account(key_file=key, passphrase_file=secret)
    told = fault(account)
    assert (told.slug, told.exit_code) == ("bad-key-file", 78)
    assert str(key) in str(told)
    assert (passphrase or "the right passphrase") not in f"{told} {account!r}"


@pytest.mark.parametrize("contents", [b"", b"no key", b"\xff\xfe\x00", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_told(server: Any, contents: bytes) -> None:
    file = server.key.parent / "none"
    file.write_bytes(contents)
    assert fault(server.account(key_file=file)).slug == "bad-key-file"


def test_half_a_key_is_told(server: Any) -> None:
    whole = server.key.read_bytes()
    file = server.key.parent / "half"
    for length in range(40, len(whole) - 40, 23):
        file.write_bytes(whole[:length] + whole[-35:])
        assert fault(server.account(key_file=file)).slug in ("bad-key-file", "wrong-key")


def test_a_secret_file_that_is_not_there_is_named(server: Any, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for what in ("key_file", "passphrase_file", "known_hosts"):
        told = fault(server.account(**{what: missing}))
        assert isinstance(told, Misconfigured)
        assert str(missing) in str(told)


def test_a_server_with_another_key_is_sent_nothing(server: Any, servers: ModuleType) -> None:
    account = server.account()
    account.known_hosts.write_text(f"[127.0.0.1]:{server.port} {servers.public(server.key)}\n")
    told = fault(account)
    assert (told.slug, told.exit_code) == ("wrong-host-key", 78)
    print_of_it = subprocess.run(["ssh-keygen", "-l", "-f", server.host_key], capture_output=True, text=True).stdout
    assert re.findall(r"SHA256:\S+", print_of_it)[0] in str(told)
    assert not list(server.root.iterdir())


def test_a_server_is_not_trusted_at_first_sight(server: Any, servers: ModuleType) -> None:
    account = server.account()
    known = account.known_hosts.read_text()
    for contents in (
        "",
        f"another.example {servers.public(server.host_key)}\n",
        f"127.0.0.1 {servers.public(server.host_key)}\n",  # at port 22
        f"@cert-authority {known}",
        f"@revoked {known}{known}",
        f"[127.0.0.1]:{server.port} ssh-ed25519 no-base64!\n",
    ):
        account.known_hosts.write_text(contents)
        told = fault(account)
        assert (told.slug, told.exit_code) == ("no-host-key", 78)
        assert account.known_hosts.read_text() == contents


def test_names_may_be_hashed_in_the_list_of_known_servers(server: Any) -> None:
    account = server.account()
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", account.known_hosts], check=True, capture_output=True)
    assert "127.0.0.1" not in account.known_hosts.read_text()
    put(account)
    assert arrived(server)


# --- folders and rights ----------------------------------------------------------------------------------------------


def test_a_folder_may_be_named_from_where_the_login_begins(server: Any) -> None:
    put(server.account(path="in"))
    assert arrived(server)
    put(server.account(path=""))
    assert (server.root.parent / NAME).read_bytes() == LARGE


def test_a_file_in_the_folders_place_is_no_folder(server: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert fault(server.account(path=str(tmp_path / "file"))).slug == "no-such-folder"


def test_a_server_that_lets_nothing_be_written_is_the_operators_matter(servers: ModuleType, tmp_path: Path) -> None:
    with servers.serving(tmp_path / "server", subsystem="sftp internal-sftp -R") as server:
        told = fault(server.account())
    assert (told.slug, told.exit_code) == ("not-permitted", 78)
    assert not list(server.root.iterdir())


@pytest.mark.parametrize("subsystem", ["other internal-sftp", "sftp /bin/false"])
def test_a_server_that_lets_in_but_gives_no_sftp_is_the_operators_matter(
    servers: ModuleType, tmp_path: Path, subsystem: str
) -> None:
    with servers.serving(tmp_path / "server", subsystem=subsystem) as server:
        told = fault(server.account())
    assert (told.slug, told.exit_code) == ("no-sftp", 78)


# --- away, slow, lost ------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_or_unknown_is_away(server: Any) -> None:
    account = server.account()
    server.kill()
    for each in (account, replace(account, host="no-such-host.invalid")):
        account.known_hosts.write_text(f"[{each.host}]:{each.port} {Path(f'{server.host_key}.pub').read_text()}")
        told = fault(each)
        assert (told.slug, told.exit_code) == ("destination-away", 75)


def test_a_server_that_never_answers_is_left(servers: ModuleType, server: Any) -> None:
    for bytes_let_through in (0, 1500):  # it says nothing at all; it stops while the keys are exchanged
        with servers.Line.to(server.port, stall_after=bytes_let_through) as line:
            began = time.monotonic()
            told = fault(server.account(line.port, patience=HASTE))
            assert (told.slug, told.exit_code) == ("destination-slow", 75)
            assert time.monotonic() - began < HASTE + 10


def test_what_is_no_ssh_server_is_told(servers: ModuleType, server: Any) -> None:
    def answer() -> None:
        there, _ = listener.accept()
        with there:
            there.sendall(b"220 this is another service\r\n" * 200)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        told = fault(server.account(listener.getsockname()[1]))
        thread.join()
    assert (told.slug, told.exit_code) == ("connection-lost", 75)


def test_a_server_that_stalls_midway_is_left_and_the_upload_taken_up_where_it_was(
    servers: ModuleType, server: Any
) -> None:
    with servers.Line.to(server.port, stall_after=HALFWAY) as line:
        began = time.monotonic()
        told = fault(server.account(line.port, patience=3 * HASTE))  # time to log in on a busy machine too
    assert (told.slug, told.exit_code) == ("destination-slow", 75)
    assert time.monotonic() - began < 3 * HASTE + 15
    begun = half(server)
    assert 0 < begun < len(LARGE)
    assert put(server.account()).sent == len(LARGE) - begun
    assert arrived(server)


def test_a_killed_upload_is_taken_up_where_it_was(servers: ModuleType, server: Any, tmp_path: Path) -> None:
    source = tmp_path / "record.pdf"
    source.write_bytes(LARGE)
    with servers.Line.to(server.port, stall_after=HALFWAY) as line:
        engine = pickle.dumps(server.account(line.port)).hex()
        with subprocess.Popen([sys.executable, PUTTING, engine, NAME, source]) as process:
            assert line.stalled.wait(20)
            process.kill()
    begun = half(server)
    receipt = put(server.account())
    assert (receipt.sent, receipt.sha256) == (len(LARGE) - begun, sha256(LARGE))
    assert 0 < receipt.sent < len(LARGE)
    assert arrived(server)


def test_a_server_killed_midway_is_lost_and_the_upload_taken_up_when_it_is_back(
    servers: ModuleType, server: Any
) -> None:
    with servers.Line.to(server.port, stall_after=HALFWAY) as line:

        def kill() -> None:
            line.stalled.wait(20)
            server.kill()

        thread = threading.Thread(target=kill)
        thread.start()
        told = fault(server.account(line.port))
        thread.join()
    assert (told.slug, told.exit_code) == ("connection-lost", 75)
    begun = half(server)
    server.start()
    assert put(server.account()).sent == len(LARGE) - begun < len(LARGE)
    assert arrived(server)


def test_a_connection_that_was_lost_stays_lost(server: Any) -> None:
    with server.account().opened() as destination:
        server.kill()
        for _ in range(2):
            with pytest.raises(Unavailable) as lost:
                destination.put(NAME, LARGE, sha256=sha256(LARGE))
            assert lost.value.slug == "connection-lost"


@pytest.mark.parametrize("left", [b"", b"of another file", LARGE[:-1] + b"X", LARGE + b"more"])
def test_a_half_upload_that_is_not_of_this_file_is_begun_anew(server: Any, left: bytes) -> None:
    with pytest.raises(Unavailable):
        _begun_and_lost(server)
    (part,) = server.root.iterdir()
    part.write_bytes(left)
    assert put(server.account()).sent == len(LARGE)
    assert arrived(server)


def test_an_upload_that_lacked_its_name_alone_is_read_and_named(server: Any) -> None:
    with pytest.raises(Unavailable):
        _begun_and_lost(server)
    (part,) = server.root.iterdir()
    part.write_bytes(LARGE)
    assert put(server.account()).sent == 0
    assert arrived(server)


def _begun_and_lost(server: Any) -> None:
    server.fill(HALFWAY)
    try:
        put(server.account())
    finally:
        server.start()


# --- what is left behind ---------------------------------------------------------------------------------------------


def test_every_connection_is_closed_however_it_ended(server: Any, servers: ModuleType) -> None:
    stranger = servers.key(server.key.parent / "stranger")
    put(server.account())
    fault(server.account(key_file=stranger))
    fault(server.account(path="/no/such/folder"))
    with pytest.raises(RuntimeError), server.account().opened():
        raise RuntimeError("the work broke off")
    deadline = time.monotonic() + 10
    while server.logins() or [one for one in threading.enumerate() if "paramiko" in type(one).__module__]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_is_written_to_the_screen_or_the_log(
    server: Any, servers: ModuleType, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    fault(server.account(key_file=servers.key(server.key.parent / "stranger")))
    with servers.Line.to(server.port, stall_after=0) as line:
        fault(server.account(line.port, patience=0.2))
    assert not any(capfd.readouterr())
    assert not caplog.records


def test_the_sftp_program_of_openssh_finds_the_same_file(server: Any) -> None:
    account = server.account()
    put(account)
    fetched = server.key.parent / "fetched.pdf"
    known = f"UserKnownHostsFile={account.known_hosts}"
    options = ("-i", account.key_file, "-P", str(account.port), "-o", known, "-o", "StrictHostKeyChecking=yes")
    source = f"{account.user}@{account.host}:{server.root / NAME}"
    subprocess.run(["sftp", "-q", "-o", "BatchMode=yes", *options, source, fetched], check=True)
    assert fetched.read_bytes() == LARGE
