"""Certification and time-stamp authorities of our own for tests, by certomancer; its time-stamp service on 127.0.0.1.

One root ("council") with an issuer between it and the seals, another ("clocks") whose certificates make timestamps.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from asn1crypto import pem
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig, KeyLabel, PKIArchitecture, ServiceLabel
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
ARCH = ArchLabel("council")


def day(offset: float) -> str:
    return (NOW + dt.timedelta(days=offset)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def certificate(
    issuer: str,
    usage: list[str],
    days: tuple[int, int] = (-100, 300),
    *,
    purposes: list[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """What certomancer is told of one certificate; one that may sign others is an authority's."""
    extensions: list[dict[str, Any]] = [
        {"id": "basic_constraints", "critical": True, "value": {"ca": "key_cert_sign" in usage}},
        {"id": "key_usage", "critical": True, "smart-value": {"schema": "key-usage", "params": usage}},
    ]
    if purposes:
        extensions.append({"id": "extended_key_usage", "critical": True, "value": purposes})
    validity = {"valid-from": day(days[0]), "valid-to": day(days[1])}
    return {"issuer": issuer, "issuer-cert": issuer, "validity": validity, "extensions": extensions, **more}


def revoked(offset: float, reason: str) -> dict[str, Any]:
    return {"revocation": {"revoked-since": day(offset), "reason": reason}}


AUTHORITY, SEAL = ["key_cert_sign", "crl_sign"], ["digital_signature", "non_repudiation"]
CERTIFICATES = {
    "root": certificate("root", AUTHORITY, (-1000, 3000)),
    "issuer": certificate("root", AUTHORITY, (-900, 2000)),
    "seal": certificate("issuer", SEAL),
    "seal-rsa": certificate("issuer", SEAL),
    "seal-expired": certificate("issuer", SEAL, (-200, -100)),
    "seal-early": certificate("issuer", SEAL, (100, 200)),
    "seal-revoked": certificate("issuer", SEAL, **revoked(-5, "key_compromise")),
    "seal-to-be-revoked": certificate("issuer", SEAL, **revoked(0.5, "superseded")),
    "web-site": certificate("issuer", SEAL, purposes=["server_auth"]),
    "post": certificate("issuer", SEAL, purposes=["email_protection", "client_auth"]),
    "clocks-root": certificate("clocks-root", AUTHORITY, (-1000, 3000)),
    "elder-root": certificate("elder-root", AUTHORITY, (-2000, 3000)),
    "clocks-root-cross": certificate("elder-root", AUTHORITY, subject="clocks-root", **{"subject-key": "clocks-root"}),
    "clocks-issuer": certificate("clocks-root", AUTHORITY, (-900, 2000)),
    "clock": certificate("clocks-issuer", SEAL, purposes=["time_stamping"]),
    "clock-rsa": certificate("clocks-issuer", SEAL, purposes=["time_stamping"]),
    "clock-expired": certificate("clocks-issuer", SEAL, (-200, -100), purposes=["time_stamping"]),
    "clock-superseded": certificate(
        "clocks-issuer", SEAL, purposes=["time_stamping"], **revoked(0.5, "cessation_of_operation")
    ),
    "clock-stolen": certificate("clocks-issuer", SEAL, purposes=["time_stamping"], **revoked(0.5, "key_compromise")),
    "no-clock": certificate("clocks-issuer", SEAL),
}
CLOCKS = [name for name in CERTIFICATES if name.startswith(("clock", "no-clock")) and "root" not in name]


class Authorities:
    """The certificates and keys, each by its name, and what the authorities publish."""

    def __init__(self, folder: Path) -> None:
        for name in CERTIFICATES:
            key = rsa.generate_private_key(65537, 2048) if "rsa" in name else ec.generate_private_key(ec.SECP256R1())
            (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.folder = folder
        self._arch = self._made()
        self.url = ""

    def _made(self) -> PKIArchitecture:
        keys = {name: {"path": f"{name}.key"} for name in CERTIFICATES}
        lists = {
            name: {"for-issuer": name, "issuer-cert": name, "signing-key": name, "simulated-update-schedule": "P30D"}
            for name in ("root", "issuer", "clocks-root", "clocks-issuer")
        }
        clocks = {
            name: {"signing-key": name, "signing-cert": name, "certs-to-embed": ["clocks-issuer", "clocks-root"]}
            for name in CLOCKS
        }
        clocks["seal"] = {"signing-key": "seal", "signing-cert": "seal"}
        clocks["clock-crossed"] = {
            "signing-key": "clock", "signing-cert": "clock", "certs-to-embed": ["clocks-root-cross", "clocks-issuer"],
        }  # fmt: skip
        clocks["clock-alone"] = {"signing-key": "clock", "signing-cert": "clock"}
        config = {
            "keysets": {"keys": {"path-prefix": str(self.folder), "keys": keys}},
            "pki-architectures": {
                "council": {
                    "keyset": "keys",
                    "entities": {name: {"common-name": f"Invented {name}"} for name in CERTIFICATES},
                    "certs": CERTIFICATES,
                    "services": {"crl-repo": lists, "time-stamping": clocks},
                }
            },
        }
        return CertomancerConfig(config, str(self.folder)).get_pki_arch(ARCH)

    def pem(self, *names: str) -> bytes:
        """Certificates as a PEM file."""
        return b"".join(pem.armor("CERTIFICATE", self._arch.get_cert(CertLabel(name)).dump()) for name in names)

    def crl(self, issuer: str, at: float = 40) -> bytes:
        """The revocation list that an issuer publishes so many days from now."""
        moment = NOW + dt.timedelta(days=at)
        return pem.armor("X509 CRL", self._arch.service_registry.get_crl(ServiceLabel(issuer), moment).dump())

    def key(self, name: str) -> bytes:
        return (self.folder / f"{name}.key").read_bytes()

    def key_file(self, name: str) -> Path:
        """A PEM file with the key, its certificate and the issuer's."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(self.key(name) + self.pem(name, "issuer", "root"))
        return path

    def certificate_file(self, name: str) -> Path:
        """A PEM file with the certificate alone."""
        path = self.folder / f"{name}.crt"
        if not path.exists():  # put there at once: several threads may ask
            made = path.with_suffix(f".{threading.get_ident()}")
            made.write_bytes(self.pem(name))
            made.replace(path)
        return path

    def pkcs12(self, name: str, passphrase: bytes) -> Path:
        path = self.folder / f"{name}.p12"
        path.write_bytes(
            self._arch.package_pkcs12(
                CertLabel(name), KeyLabel(name), [CertLabel("issuer"), CertLabel("root")], passphrase
            )
        )
        return path

    def timestamper(self, name: str) -> Any:
        """A time-stamp service without the network."""
        return self._arch.service_registry.summon_timestamper(ServiceLabel(name))

    def clock(self, name: str) -> str:
        """The address of a time-stamp service."""
        return f"{self.url}/{ARCH}/tsa/{name}"

    @contextmanager
    def serving(self) -> "Iterator[Authorities]":
        """The time-stamp services, answering on a free port of this computer."""
        animator = Animator(AnimatorArchStore({ARCH: self._arch}), with_web_ui=False)
        server = make_server("127.0.0.1", 0, animator, server_class=_Server, handler_class=_Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
