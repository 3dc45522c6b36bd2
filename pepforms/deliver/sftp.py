"""A folder on an SFTP server as a destination.

The server must show the key that `known_hosts` has for it, and is shown a key from a file: no trust at first sight, no
password, no agent. Every step has its time: a server that stalls is left.
"""

import contextlib
import functools
import hashlib
import io
import logging
import posixpath
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pepforms import digest, files
from pepforms.deliver import Destination, Held
from pepforms.errors import Misconfigured, PepformsError, Unavailable

if TYPE_CHECKING:
    from paramiko import PKey, SFTPClient, SFTPFile, SSHClient

R = TypeVar("R")

PATIENCE_SECONDS = 30.0
"""For each step: to connect and log in, to answer a question, to take or give a block."""
_BLOCK = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sftp:
    """An account on a server, and the folder there: from the root (`/in`), or from where the login begins (`in`)."""

    host: str
    port: int
    user: str
    path: str
    key_file: Path
    passphrase_file: Path | None
    known_hosts: Path
    patience: float = PATIENCE_SECONDS

    @contextlib.contextmanager
    def opened(self) -> Iterator[Destination]:
        """The destination, connected until the block ends.

        Unavailable where the server is away, Misconfigured where one of the two keys or the folder is wrong.
        """
        import paramiko

        _hush()
        key = self._key()
        with paramiko.SSHClient() as client:
            self._know_the_server(client)
            with contextlib.closing(self._reached()) as line:
                watch = _Watch(line, self.patience)
                self._log_in(client, key, watch)
                session = _Session(self, self._begun(client, watch), watch)
                session.check_folder()
                yield session

    def _reached(self) -> socket.socket:
        try:
            line = socket.create_connection((self.host, self.port), self.patience)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each block waits 40 ms for its last bytes
        except OSError as error:
            raise Unavailable(
                f"The server {self.host} cannot be reached at port {self.port}. Is its name right, and does the "
                "network let us through? Try again later.",
                slug="destination-away",
            ) from error
        return line

    def _log_in(self, client: "SSHClient", key: "PKey", watch: "_Watch") -> None:
        import paramiko

        later = 2 * self.patience  # than the watch
        try:
            with watch.step():
                client.connect(
                    self.host,
                    self.port,
                    self.user,
                    pkey=key,
                    sock=watch.line,
                    allow_agent=False,
                    look_for_keys=False,
                    timeout=later,
                    banner_timeout=later,
                    auth_timeout=later,
                )
        except paramiko.BadHostKeyException as error:
            raise Misconfigured(
                f"The server {self.host} shows the key {error.key.fingerprint}, which is not the one in "
                f"{self.known_hosts}. It may be another's, so nothing was sent. Ask those who run the server whether "
                "they have changed its key.",
                slug="wrong-host-key",
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            refused = isinstance(error, paramiko.AuthenticationException) and _alive(client)
            raise self._key_refused() if refused else self.broken_off(late=watch.late) from error

    def _begun(self, client: "SSHClient", watch: "_Watch") -> "SFTPClient":
        import paramiko

        try:
            with watch.step():
                return client.open_sftp()
        except (paramiko.SSHException, paramiko.SFTPError, OSError, EOFError) as error:
            if watch.late or not _alive(client):
                raise self.broken_off(late=watch.late) from error
            raise Misconfigured(
                f"The server {self.host} lets {self.user} in, but not to SFTP. Have it switched on for this user.",
                slug="no-sftp",
            ) from error

    def _key_refused(self) -> Misconfigured:
        return Misconfigured(
            f"The server {self.host} does not let {self.user} in with the key {self.key_file}. Have its public half "
            "put there, or name the right user and key.",
            slug="wrong-key",
        )

    def broken_off(self, *, late: bool) -> Unavailable:
        """The server was too slow, or the connection was lost."""
        if late:
            return Unavailable(
                f"The server {self.host} did not answer within {self.patience:g} seconds. Try again later.",
                slug="destination-slow",
            )
        return Unavailable(
            f"The connection to the server {self.host} was lost. Try again later.", slug="connection-lost"
        )

    def _key(self) -> "PKey":
        from cryptography.exceptions import UnsupportedAlgorithm

        passphrase = files.first_line(self.passphrase_file)
        try:
            return _opened(self.key_file.read_bytes(), passphrase)
        except OSError as error:
            raise Misconfigured(f"The key file {self.key_file} cannot be read.", slug="bad-key-file") from error
        except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm):
            raise Misconfigured(
                f"The key file {self.key_file} cannot be opened. Name a private key, as ssh-keygen makes it, and in "
                "passphrase_file the file whose first line opens it, if it has a passphrase.",
                slug="bad-key-file",
            ) from None

    def _know_the_server(self, client: "SSHClient") -> None:
        import paramiko
        from paramiko.hostkeys import InvalidHostKey

        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        name = self.host if self.port == paramiko.config.SSH_PORT else f"[{self.host}]:{self.port}"
        try:
            marked = any(line.lstrip().startswith("@") for line in self.known_hosts.read_text("utf-8").splitlines())
            client.load_host_keys(str(self.known_hosts))
        except (OSError, ValueError, InvalidHostKey) as error:
            raise Misconfigured(
                f"The file {self.known_hosts} cannot be read as a list of servers and their keys.", slug="no-host-key"
            ) from error
        if marked or client.get_host_keys().lookup(name) is None:
            raise Misconfigured(
                f"The file {self.known_hosts} must have a line for {name} with the server's own key, and no line that "
                "begins with @. Ask those who run the server for it; nothing is sent to a server that is not known.",
                slug="no-host-key",
            )


class _Watch:
    """Sees to it that no step takes longer than it may: the line is cut, and whoever waits on it hears of it."""

    def __init__(self, line: socket.socket, patience: float) -> None:
        self.line, self._patience, self.late = line, patience, False

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """One step, from now to the end of the block."""
        timer = threading.Timer(self._patience, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self.late = True
        with contextlib.suppress(OSError):  # it may be closed by now
            self.line.shutdown(socket.SHUT_RDWR)


class _Session(Destination):
    """A login that lasts."""

    def __init__(self, account: Sftp, client: "SFTPClient", watch: _Watch) -> None:
        self._account, self._client, self._watch = account, client, watch

    @property
    def place(self) -> str:
        """The folder and its server."""
        return f"{_folder(self._account.path)} on the server {self._account.host}"

    def check_folder(self) -> None:
        """Misconfigured where the folder is not there."""
        with self._told(), contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(self._ask(self._client.stat, self._account.path or ".").st_mode or 0):
                return
        raise Misconfigured(
            f"The user {self._account.user} does not find {self.place}. Have it made there, or name another.",
            slug="no-such-folder",
        )

    def holds(self, name: str, sha256: str) -> Held:
        """What is there under that name, by the SHA-256 of what was read there."""
        with self._told():
            try:
                found = self._digest(self._path(name))
            except FileNotFoundError:
                return "nothing"
        return "same" if found == sha256 else "another"

    def _send(self, name: str, data: bytes, sha256: str) -> int | None:
        path = self._path(name)
        part = posixpath.join(posixpath.dirname(path), f"{files.UNFINISHED}{sha256[:32]}.part")
        with self._told():
            self._make(posixpath.dirname(path))
            try:
                sent = self._upload(part, data)
                if self._digest(part) != sha256:
                    self._drop(part)
                    raise self._damaged(name)
                # Plain rename leaves alone what is there; OpenSSH's own, posix-rename, would write over it.
                self._ask(self._client.rename, part, path)
            except OSError:
                if self._size(path) is None:
                    raise
                self._drop(part)
                return None
        return sent

    def _upload(self, part: str, data: bytes) -> int:
        """Send what is not there yet of the data; how many bytes that was."""
        begun = self._begun(part, data)
        with self._open(part, "r+" if begun else "wx") as file:
            file.seek(begun)
            for start in range(begun, len(data), _BLOCK):
                self._ask(file.write, data[start : start + _BLOCK])
        return len(data) - begun

    def _begun(self, part: str, data: bytes) -> int:
        """How many bytes an upload that broke off has left there; what is not of this data is taken away."""
        size = self._size(part)
        if size is None:
            return 0
        if 0 < size <= len(data) and self._digest(part, size) == digest.sha256(data[:size]):
            return size
        self._drop(part)
        return 0

    def _make(self, folder: str) -> None:
        """Make the folder of a social worker or team; the one that it lies in was there when we came."""
        if folder == self._account.path or self._size(folder) is not None:
            return
        try:
            self._ask(self._client.mkdir, folder)
        except OSError:
            if self._size(folder) is None:  # nobody else has made it either
                raise

    def _digest(self, path: str, most: int | None = None) -> str:
        """The SHA-256 of a file, or of its first bytes, read from the server."""
        found = hashlib.sha256()
        with self._open(path, "r") as file:
            while block := self._ask(file.read, _BLOCK if most is None else min(_BLOCK, most - file.tell())):
                found.update(block)
        return found.hexdigest()

    def _drop(self, part: str) -> None:
        """Take away what was begun, unless another process has done so."""
        with contextlib.suppress(FileNotFoundError):
            self._ask(self._client.remove, part)

    def _size(self, path: str) -> int | None:
        try:
            return self._ask(self._client.stat, path).st_size or 0
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def _open(self, path: str, mode: str) -> "Iterator[SFTPFile]":
        file = self._ask(self._client.open, path, mode)
        try:
            yield file
        finally:
            self._ask(file.close)

    def _path(self, name: str) -> str:
        return posixpath.join(self._account.path, name)

    def _ask(self, request: Callable[..., R], *arguments: object) -> R:
        """What the server answers, in the time that it has."""
        with self._watch.step():
            return request(*arguments)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say in plain English what went wrong, and whose it is."""
        import paramiko

        try:
            yield
        except (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError) as error:
            raise self._in_words(error) from error

    def _in_words(self, error: Exception) -> PepformsError:
        channel = self._client.get_channel()
        lost = channel is None or channel.closed or not isinstance(error, OSError)
        if self._watch.late or lost:
            return self._account.broken_off(late=self._watch.late)
        if isinstance(error, PermissionError):
            return Misconfigured(
                f"The user {self._account.user} may not read and write in {self.place}. Have the right given there, or "
                "name another folder.",
                slug="not-permitted",
            )
        return Unavailable(  # the protocol has no word for a full disk
            f"The server {self._account.host} did not take the file and does not say why. Is there room left on its "
            "disk, for this user too? Try again later.",
            slug="not-taken",
        )


def _folder(path: str) -> str:
    return f"the folder {path}" if path else "the folder where the login begins"


def _opened(key: bytes, passphrase: bytes) -> "PKey":
    """A private key that may be locked; errors of many kinds where it cannot be opened.

    The SSH library would unlock it once for each kind of key that it may be, half a second each time.
    """
    import paramiko
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    modern = b"BEGIN OPENSSH PRIVATE KEY" in key
    load = serialization.load_ssh_private_key if modern else serialization.load_pem_private_key
    opened = load(key, passphrase or None)
    if isinstance(opened, ed25519.Ed25519PrivateKey):
        kind: type[PKey] = paramiko.Ed25519Key
    elif isinstance(opened, ec.EllipticCurvePrivateKey):
        kind = paramiko.ECDSAKey
    elif isinstance(opened, rsa.RSAPrivateKey):
        kind = paramiko.RSAKey
    else:
        raise ValueError("a kind of key that servers no longer take")
    plain = opened.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return kind.from_private_key(io.StringIO(plain.decode()))


def _alive(client: "SSHClient") -> bool:
    """Whether the connection still stands; that it was lost may take a moment to be seen."""
    transport = client.get_transport()
    if transport is None:
        return False
    transport.join(0.2)
    return transport.is_active()


@functools.cache
def _hush() -> None:
    """What the library logs is told here, in words and once."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
