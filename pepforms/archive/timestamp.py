"""Timestamps (RFC 3161): an authority outside says when a seal's signature was there, and signs that it did.

pyHanko's client asks; what comes back is judged here before it is taken in, by the same rules by which a reader judges
it later: its signature, the certificates up to an anchor, what it is a timestamp of, and its time.
"""

import datetime as dt
import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pepforms.archive import container
from pepforms.archive.trust import Trust, clock_stands, hush, is_issued_by
from pepforms.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    import aiohttp
    from asn1crypto import cms
    from cryptography import x509

DEADLINE = 15.0
"""Seconds for the whole conversation with an authority."""

LARGEST = 8 << 10
"""Bytes of a token without its root: those of public authorities take 3 to 6 KB."""

TOLERANCE = dt.timedelta(minutes=10)
"""How far the time that a seal claims may lie from the time that its timestamp proves."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamp authority at an address, and whom its certificate must lead to."""

    url: str
    trust: Trust
    deadline: float = DEADLINE

    def __post_init__(self) -> None:
        """Misconfigured where the address cannot be one; it must hold no password, for settings are shown."""
        address = urlsplit(self.url)
        if address.scheme not in ("https", "http") or not address.hostname or address.password or address.username:
            raise Misconfigured(
                "seal.timestamp_url must be the https or http address of a time-stamp authority, without a password.",
                slug="bad-timestamp-url",
            )

    @property
    def host(self) -> str:
        """Its name in messages."""
        return urlsplit(self.url).hostname or ""

    def stamp(self, signature: bytes, claimed: dt.datetime) -> bytes:
        """The token over a signature, as the container carries it.

        Unavailable where the authority is away or what it says is not a timestamp of this signature; Misconfigured
        where nobody trusts it here, or where it and this computer's clock disagree.
        """
        token = self._asked(signature)
        judged = judge(token, signature, self.trust)
        if not judged.genuine or judged.at is None:
            raise self._wrong("its answer is not a timestamp of this seal")
        if not judged.trusted:
            raise Misconfigured(
                f"The time-stamp authority {self.host} is not trusted: its certificate leads to none of "
                "seal.timestamp_trust or seal.trust. Put the authority's root certificate there.",
                slug="timestamp-untrusted",
            )
        if abs(judged.at - claimed) > TOLERANCE:
            raise Misconfigured(
                f"The time-stamp authority {self.host} says that it is {judged.at:%d %B %Y %H:%M} UTC, the seal "
                f"{claimed:%d %B %Y %H:%M}. Set this computer's clock right.",
                slug="clock-wrong",
            )
        return token

    def _asked(self, signature: bytes) -> bytes:
        import asyncio

        from pyhanko.sign.timestamps.common_utils import TimestampRequestError

        try:
            answer = asyncio.run(_ask(self.url, hashlib.sha256(signature).digest(), self.deadline))
            parts = container.take_apart(answer.dump())
            token = container.written(replace(parts, certificates=_needed(parts.certificates, self.trust)))
        except TimestampRequestError as refused:
            if refused.__cause__ is None:  # it did answer: that it will not, or to another question
                raise self._wrong("it refused, or answered another question") from None
            raise Unavailable(
                f"The time-stamp authority {self.host} cannot be reached or does not answer as one within "
                f"{self.deadline:g} seconds. Nothing was sealed; try again later.",
                slug="timestamp-away",
            ) from None
        except container.UNREADABLE:
            raise self._wrong("its answer cannot be read, or is of a kind that pepforms does not take") from None
        if len(token) > LARGEST:
            raise self._wrong("its answer is too large")
        return token

    def _wrong(self, what: str) -> Unavailable:
        return Unavailable(
            f"The time-stamp authority {self.host} answered wrongly: {what}. Nothing was sealed; try again later.",
            slug="timestamp-wrong",
        )


async def _ask(url: str, digest: bytes, seconds: float) -> "cms.ContentInfo":
    import aiohttp
    from pyhanko.sign.timestamps.aiohttp_client import HTTPTimeStamper

    # A council's way out is often a proxy, named in the environment.
    async with aiohttp.ClientSession(trust_env=True, response_class=_bounded()) as session:
        return await HTTPTimeStamper(url, timeout=seconds, session=session).async_timestamp(digest, "sha256")


def _bounded() -> "type[aiohttp.ClientResponse]":
    import aiohttp

    class Bounded(aiohttp.ClientResponse):
        """An answer of which no more is read than a token may take."""

        async def read(self) -> bytes:
            body = b""
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > 4 * LARGEST:
                    raise aiohttp.ClientPayloadError("too large")
            return body

    return Bounded


# --- judging a token -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a token says, whether it is a timestamp of the signature, and whether a trusted authority made it."""

    at: dt.datetime | None = None
    genuine: bool = False
    trusted: bool = False

    def proves(self, claimed: dt.datetime | None) -> bool:
        """Whether it proves the time that a seal claims."""
        near = claimed is None or (self.at is not None and abs(self.at - claimed) <= TOLERANCE)
        return self.genuine and self.trusted and near


def judge(token: bytes, signature: bytes, trust: Trust) -> Judgement:
    """What a timestamp token of a signature is worth; it raises nothing, whatever the bytes are."""
    hush()
    try:
        return _judged(token, signature, trust)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  asn1crypto, pyHanko and cryptography raise many kinds over a bad token
        return Judgement()


def _judged(token: bytes, signature: bytes, trust: Trust) -> Judgement:
    import asyncio

    from asn1crypto import cms
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
    from pyhanko.sign.validation.status import TimestampSignatureStatus

    signed = cms.ContentInfo.load(token)["content"]
    said = signed["encap_content_info"]["content"].parsed
    at: dt.datetime = said["gen_time"].native
    imprint = said["message_imprint"]
    ours = imprint["hash_algorithm"]["algorithm"].native == "sha256"
    context = trust.context(at, of_clocks=True)
    found: dict[str, Any] = asyncio.run(
        validate_tst_signed_data(signed, context, lambda name: hashlib.new(name, signature).digest())
    )
    status = TimestampSignatureStatus(**found)
    trusted = (
        status.trusted
        and clock_stands(status.validation_path, status.signing_cert, trust, at)
        and _is_covered(container.take_apart(token).certificates, trust)
    )
    return Judgement(at, genuine=ours and status.intact and status.valid, trusted=trusted)


def _needed(certificates: tuple[bytes, ...], trust: Trust) -> tuple[bytes, ...]:
    """The certificates of a token up to the first that an anchor issued: what leads to other roots is not kept."""
    chain = _loaded(certificates)
    anchors = trust.anchors(of_clocks=True)
    ends = (number for number, one in enumerate(chain, 1) if _is_anchored(one, anchors))
    return certificates[: next(ends, len(chain))]


def _is_anchored(certificate: "x509.Certificate", anchors: "list[x509.Certificate]") -> bool:
    return certificate in anchors or any(is_issued_by(certificate, anchor) for anchor in anchors)


def _is_covered(certificates: tuple[bytes, ...], trust: Trust) -> bool:
    """Whether each certificate that a token carries is signed by the next, and the last by an anchor, or is one.

    The authority's own is named in what it signed; without this a byte of the others could change unnoticed.
    """
    chain = _loaded(certificates)
    anchors = trust.anchors(of_clocks=True)
    linked = all(is_issued_by(one, issuer) for one, issuer in itertools.pairwise(chain))
    return linked and _is_anchored(chain[-1], anchors)


def _loaded(certificates: tuple[bytes, ...]) -> "list[x509.Certificate]":
    from cryptography import x509

    return [x509.load_der_x509_certificate(der) for der in certificates]
