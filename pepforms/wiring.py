"""The parts put together as the settings say; each is made when it is first needed."""

import datetime as dt
import functools
import importlib.metadata
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pepforms import files, forms, preview, profile
from pepforms.archive import pdfa, seal, timestamp, verify
from pepforms.archive.trust import Trust
from pepforms.archive.trust import read as read_trusted
from pepforms.convert import Converter
from pepforms.deliver import destinations
from pepforms.errors import Broken, Misconfigured, Refused
from pepforms.fill import Letterhead, Template
from pepforms.forms import Form
from pepforms.profile import Profile
from pepforms.settings import Settings
from pepforms.workers import Pool, calls, cores

if TYPE_CHECKING:
    from pepforms.batches.worker import Worker
    from pepforms.register.files import Files
    from pepforms.register.store import Register

R = TypeVar("R")

READING_SECONDS, READING_BYTES = 10.0, 512 << 20
"""What the reading of a file that somebody sent may cost: a real one takes a tenth of either."""
DEMONSTRATION_KEY = "demonstration-seal.p12"
DEMONSTRATION_OPENER = "demonstration-passphrase"
_DEMONSTRATION_PASSPHRASE = b"pepforms demonstration"  # no secret: the key proves nothing


if TYPE_CHECKING:
    _once = functools.cached_property
else:

    class _once(functools.cached_property):  # noqa: N801  it reads as a decorator
        """A part made when it is first needed: once, also where several threads ask first (Python 3.12 on)."""

        _lock = threading.RLock()

        def __get__(self, instance: object, owner: type | None = None) -> object:
            with self._lock:
                return super().__get__(instance, owner)


class Wiring:
    """Everything that the recipe works with, for one command or one service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._templates: dict[tuple[Path, Path | None], Template] = {}
        self._compiling = threading.Lock()

    @_once
    def profile(self) -> Profile:
        """The authority's profile."""
        return profile.load(self.settings["profile"])

    @_once
    def converter(self) -> Converter:
        """The engine that makes PDFs, as `convert.engine` says."""
        return self.rdocx if self.settings["convert.engine"] == "rdocx" else self.libreoffice

    @_once
    def rdocx(self) -> Converter:
        """The engine that needs no other program."""
        from pepforms.convert.rdocx import Rdocx

        return Rdocx()

    @_once
    def libreoffice(self) -> Converter:
        """The engine LibreOffice; Misconfigured where it is not installed."""
        from pepforms.convert.libreoffice import LibreOffice

        return LibreOffice()

    @_once
    def engine(self) -> str:
        """The engine that makes PDFs, by its name and version."""
        if self.settings["convert.engine"] == "libreoffice":
            from pepforms.convert import libreoffice

            return libreoffice.version()
        return f"rdocx {importlib.metadata.version('rdocx')}"

    @_once
    def _reader(self) -> Pool:
        return Pool(calls, name="Reading", size=cores(), deadline=READING_SECONDS, most_bytes=READING_BYTES)

    def apart(self, function: Callable[..., R], *arguments: Any, about: str, seconds: float | None = None) -> R:
        """What the function makes of a file that may be hostile, found out in a process that can be killed.

        Refused (slug `worker-lost` or `too-much-memory`) where the file costs more than it may.
        """
        answer: R = self._reader.do((function, *arguments), about=about, deadline=seconds)
        return answer

    @_once
    def judge(self) -> pdfa.Judge | None:
        """veraPDF, where it is wanted and can run."""
        return None if self.judge_missing else pdfa.Judge()

    @property
    def judge_missing(self) -> str | None:
        """Why veraPDF does not judge here, and what to do about it; None where it does."""
        if self.settings["archive.validate"] == "off":
            return "does not judge: archive.validate is off"
        return pdfa.Judge.missing()

    @_once
    def sealer(self) -> seal.Sealer:
        """The authority's seal, fit to seal now; Misconfigured where no key is set."""
        if self._own is None:
            raise Misconfigured(
                "No key to seal records with. Set PEPFORMS_SEAL_KEY_FILE to a PKCS#12 or PEM file and "
                "PEPFORMS_SEAL_PASSPHRASE_FILE to the file that holds its passphrase.",
                slug="no-key",
            )
        self._own.check_usable(dt.datetime.now(dt.UTC))
        return self._own

    @_once
    def _own(self) -> seal.Sealer | None:
        """The configured seal, be its certificate expired or not."""
        key, passphrase = self.settings.path("seal.key_file"), self.settings.path("seal.passphrase_file")
        return seal.Sealer.read(key, files.first_line(passphrase), self.clock) if key else None

    @_once
    def clock(self) -> timestamp.Authority | None:
        """The time-stamp authority, where one is set."""
        url = self.settings["seal.timestamp_url"]
        return timestamp.Authority(url, Trust(self._named("seal.trust"), self._clocks)) if url else None

    @_once
    def trust(self) -> Trust:
        """Whom a seal and its time may be trusted by.

        The configured seal's own certificate is an anchor; the demonstration's only while no other is set.
        """
        anchors = list(self._named("seal.trust"))
        demonstration = self.settings.home / DEMONSTRATION_KEY
        if self._own:
            anchors.append(self._own.certificate_pem)
        elif not anchors and demonstration.exists():
            anchors.append(seal.Sealer.read(demonstration, _DEMONSTRATION_PASSPHRASE).certificate_pem)
        return Trust(tuple(anchors), self._clocks)

    @_once
    def _clocks(self) -> tuple[bytes, ...]:
        return self._named("seal.timestamp_trust")

    def _named(self, setting: str) -> tuple[bytes, ...]:
        """The PEM files that a setting names; Misconfigured names one that is none."""
        return tuple(_pem(Path(path), setting) for path in self.settings[setting].split(":") if path)

    @_once
    def destinations(self) -> dict[str, destinations.Named]:
        """Where records can be delivered to, by the names that the settings give."""
        return destinations.read(self.settings)

    @property
    def installed(self) -> Path:
        """The folder of the authority's own templates; there only once one has been installed."""
        return self.settings.home / "templates"

    def forms(self) -> dict[str, Form]:
        """Every form by name: the authority's own, and those shipped that it has not replaced.

        Those that its profile names come first, in its order.
        """
        found = forms.catalogue(self.installed)
        named = (name for name in self.profile.documents if name in found)
        return {name: found[name] for name in (*named, *found)}

    def form(self, name: str) -> Form:
        """The form of that name; Refused (slug `no-such-form`) with the names that there are."""
        return forms.named(name, self.installed)

    def template(self, form: Form) -> Template:
        """The form's Word template, compiled once for the letterhead that it stands under."""
        stands = form.template, form.letterhead
        with self._compiling:  # several threads may ask first
            if stands not in self._templates:
                self._templates[stands] = Template(
                    self.word_file(form.template), name=form.template.name, letterhead=self.letterhead(form)
                )
        return self._templates[stands]

    def letterhead(self, form: Form) -> Letterhead | None:
        """The letterhead that a form stands under, in the authority's colour."""
        return self.letterhead_at(form.letterhead) if form.letterhead else None

    def letterhead_at(self, path: Path) -> Letterhead:
        """The letterhead in a Word file, in the authority's colour."""
        return Letterhead(self.word_file(path), path.name, self.profile.letterhead.colour)

    def word_file(self, path: Path) -> bytes:
        """A template or letterhead; Misconfigured where an installed one is gone, or not the one that was proved."""
        own, mend = path.parent == self.installed, "Install it again: pepforms template install."
        try:
            data = path.read_bytes()
        except OSError as error:
            if own:
                raise Misconfigured(
                    f"The template {path} is gone or cannot be read. {mend}", slug="no-template"
                ) from error
            raise Broken(f"The template {path.name} is missing. Install pepforms anew.", slug="no-template") from error
        if own and not forms.as_kept(path, data):
            raise Misconfigured(f"The template {path} is not as it was installed. {mend}", slug="changed-template")
        return data

    def convert(self, docx: bytes, *, about: str) -> bytes:
        """A Word file as a tagged PDF."""
        return self.converter.convert(docx, about=about)

    def pictures(self, pdf: bytes, page: int | None, *, about: str) -> dict[int, bytes]:
        """The pages of a PDF as PNG pictures by their numbers, in order: one, or all, shared out among the cores."""
        if page is not None:
            return self.apart(preview.one, pdf, page, about=about)
        step = cores()
        with ThreadPoolExecutor(step) as threads:
            shares = threads.map(
                lambda first: self.apart(preview.share, pdf, first, step, about=about), range(1, step + 1)
            )
            return dict(sorted(itertools.chain.from_iterable(share.items() for share in shares)))

    def seal(self, pdf: bytes, *, on_top: bool = False) -> bytes:
        """A PDF under the authority's seal, or on top of the signature that it bears already."""
        return self.sealer.seal(pdf, on_top=on_top)

    def verify(self, pdf: bytes) -> verify.Facts:
        """The facts about a PDF: read in a process apart, its standards judged in another."""
        try:
            facts = self.apart(verify.read, pdf, self.trust, about="The PDF")
        except Refused as costly:
            return verify.nothing_known(costly.slug, str(costly), pdf)
        return verify.judged(facts, pdf, self.judge)

    def record_of(self, pdf: bytes) -> str | None:
        """The digest of the PEP that a PDF is the record of, if it is one."""
        return self.apart(verify.record_of, pdf, about="A record")

    @_once
    def register(self) -> "Register":
        """The register, made on first use, and brought up to date where an older pepforms made it."""
        from pepforms.register.store import Register

        self.keep()
        return Register(self.register_is_at, self.register_files)

    def worker(self, processes: int | None = None) -> "Worker":
        """This process at work on batches, so many documents at once."""
        from pepforms.batches.worker import Worker

        return Worker(self, processes=processes)

    @property
    def has_register(self) -> bool:
        """Whether there is a register already; using one makes it."""
        where = self.register_is_at
        if isinstance(where, str):
            return True
        with files.told(where):
            return where.exists()

    @property
    def register_is_at(self) -> str | Path:
        """The file that the register is in, or the URL of its database."""
        return self.settings["database.url"] or self.settings.home / "register.sqlite"

    @_once
    def register_files(self) -> "Files":
        """The folder of the register's files, which hosts may share."""
        from pepforms.register.files import Files

        return Files(self.settings.path("files.folder") or self.settings.home / "files")

    @property
    def carries_data(self) -> bool:
        """Whether records carry their PEP."""
        return self.settings["archive.standard"] == "3a"

    def keep(self) -> Path:
        """The home folder, made on first use, for what is to be kept: nobody else may look into it."""
        home = self.settings.home
        with files.told(home):
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    def use_demonstration_key(self) -> Path:
        """Seal with the throwaway key of the demonstration, made on first use in the home folder."""
        home = self.keep()
        path = home / DEMONSTRATION_KEY
        if not path.exists():
            seal.make_demonstration_key(path, _DEMONSTRATION_PASSPHRASE)
            files.replace(home / DEMONSTRATION_OPENER, _DEMONSTRATION_PASSPHRASE + b"\n")
        self.sealer = seal.Sealer.load(path, _DEMONSTRATION_PASSPHRASE)
        return path


def _pem(path: Path, setting: str) -> bytes:
    try:
        data = path.read_bytes()
        read_trusted(data)
    except OSError as error:
        raise Misconfigured(f"The file {path} in {setting} cannot be read.", slug="bad-trust") from error
    except ValueError:
        raise Misconfigured(
            f"The file {path} in {setting} holds no certificate and no revocation list in PEM form, or a damaged one. "
            "Export it anew, in PEM form.",
            slug="bad-trust",
        ) from None
    return data
