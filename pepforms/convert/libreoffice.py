"""The engine LibreOffice: the second opinion, and for templates that rdocx does not lay out well.

It is loaded into the worker process through LibreOfficeKit, its own C interface, so that a process that is killed takes
LibreOffice with it. It must be installed; nothing starts it unless it was chosen.
"""

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from pepforms.convert import conformance, wordfile
from pepforms.errors import Misconfigured, Refused
from pepforms.workers import Handler, Pool, cores

DEADLINE_SECONDS = 60.0
"""Two hundred times what a long PEP takes."""

_MOST_BYTES = 3 << 30
"""Of address space; it takes 0.6 GB for a PEP, of which 0.3 GB is held."""

_RECYCLE_AFTER = 200
"""It keeps every font that a document has embedded until it ends; a start costs a second."""

INSTALL = (
    "Install it (Debian and Ubuntu: apt-get install libreoffice-writer-nogui fonts-liberation fonts-crosextra-carlito)."
)
_LIBRARIES = ("libmergedlo.so", "libsofficeapp.so")
_TO_PDF = {
    "SelectPdfVersion": ("long", "2"),  # PDF/A-2
    "PDFUACompliance": ("boolean", "true"),
    "UseLosslessCompression": ("boolean", "true"),
    "ReduceImageResolution": ("boolean", "false"),
}

_LOCKED_DOWN = {
    "org.openoffice.Office.Common/Security/Scripting": {
        "DisableMacrosExecution": "true",
        "MacroSecurityLevel": "3",
        "BlockUntrustedRefererLinks": "true",
    },
    "org.openoffice.Office.Writer/Content/Update": {"Link": "2"},
}
"""No macro runs; what a document only refers to, on the network or on this machine, is not fetched."""


class LibreOffice:
    """As many LibreOffice processes as there are cores, started when first needed, each with its own profile."""

    name = "libreoffice"

    def __init__(self, *, processes: int | None = None, deadline: float = DEADLINE_SECONDS) -> None:
        """Misconfigured where LibreOffice is not installed."""
        self._pool = Pool(
            start,
            _program(),
            name="LibreOffice",
            size=processes or cores(),
            deadline=deadline,
            recycle_after=_RECYCLE_AFTER,
            most_bytes=_MOST_BYTES,
        )

    def convert(self, docx: bytes, *, about: str) -> bytes:
        """The PDF of a Word file; times and identifiers in it differ from run to run."""
        pdf: bytes = self._pool.do(docx, about=about)
        return pdf

    def close(self) -> None:
        """End the processes."""
        self._pool.close()


def find() -> Path | None:
    """The folder of LibreOffice's programs, or None where it is not installed."""
    for command in ("soffice", "libreoffice"):
        found = shutil.which(command)
        if found and any((Path(found).resolve().parent / library).exists() for library in _LIBRARIES):
            return Path(found).resolve().parent
    return None


def version() -> str:
    """What LibreOffice calls itself, such as “LibreOffice 7.4.7.2”; Misconfigured where there is none."""
    told = subprocess.run(
        [_program() / "soffice", "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    return " ".join(told.stdout.split()[:2]) or "LibreOffice, which does not tell its version"


def _program() -> Path:
    program = find()
    if program is None:
        raise Misconfigured(
            f"LibreOffice is not installed. {INSTALL} Or set convert.engine to rdocx.", slug="no-libreoffice"
        )
    return program


# --- in the worker process -------------------------------------------------------------------------------------------


def start(program: Path) -> Handler:
    """What a worker process does: convert one Word file after the other."""
    folder = _Folder()
    office = _Office(program, folder.path)
    numbers = itertools.count(1)

    def convert(docx: bytes) -> bytes:
        if not wordfile.is_whole(docx):  # LibreOffice would make a PDF of almost anything: a note, half a file
            raise _unconvertible()
        word, pdf = folder.path / "document.docx", folder.path / "document.pdf"
        try:
            # Of two embedded fonts of one name, in whatever documents, it may draw with either or none.
            word.write_bytes(wordfile.prepared(docx, f" {next(numbers)}"))
            office.convert(word, pdf)
            return conformance.mend(pdf.read_bytes())
        finally:
            word.unlink(missing_ok=True)
            pdf.unlink(missing_ok=True)

    return convert


class _Folder:
    """A private folder for the profile and for what LibreOffice writes, removed once this process has ended.

    However it ends: a shell outside our process group waits for the end of its input, which the kernel closes.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="pepforms-"))
        self._remover = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; rm -rf -- "$0"', str(self.path)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )


class _Office:
    """LibreOffice inside this process. Its C interface is two tables of functions that only ever grow at the end."""

    def __init__(self, program: Path, folder: Path) -> None:
        _write_profile(folder / "profile")
        os.environ.update(TMPDIR=str(folder), SAL_USE_VCLPLUGIN="svp")
        library = next(program / name for name in _LIBRARIES if (program / name).exists())
        hook = ctypes.CDLL(str(library)).libreofficekit_hook_2
        hook.restype, hook.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
        self._office = hook(str(program).encode(), (folder / "profile").as_uri().encode())
        if not self._office:
            raise OSError("LibreOffice did not start")

    def convert(self, word: Path, pdf: Path) -> None:
        """Save a Word file as PDF; Refused where LibreOffice cannot."""
        document = self._load(word)
        try:
            options = json.dumps({key: {"type": kind, "value": value} for key, (kind, value) in _TO_PDF.items()})
            if not _call(ctypes.c_int, document, _SAVE_AS, pdf.as_uri(), "pdf", options):
                raise _unconvertible()
        finally:
            _call(None, document, _DESTROY)

    def _load(self, word: Path) -> int:
        options = "Batch=true,EnableMacrosExecution=false"
        document = _call(ctypes.c_void_p, self._office, _LOAD_WITH_OPTIONS, word.as_uri(), options)
        if not document:
            raise _unconvertible()
        return int(document)


_DESTROY, _SAVE_AS, _LOAD_WITH_OPTIONS = 1, 2, 4
"""Places in the tables of functions (LibreOfficeKit.h), whose first entry is their size."""


def _call(answers: Any, of: int, place: int, *texts: str) -> Any:
    """Call one function of a LibreOfficeKit object, whose first word points to its table."""
    table = ctypes.c_void_p.from_address(of).value or 0
    address = ctypes.c_void_p.from_address(table + place * ctypes.sizeof(ctypes.c_void_p)).value or 0
    function = ctypes.CFUNCTYPE(answers, ctypes.c_void_p, *(ctypes.c_char_p for _ in texts))(address)
    return function(of, *(text.encode() for text in texts))


def _write_profile(profile: Path) -> None:
    items = "".join(
        f'<item oor:path="/{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, properties in _LOCKED_DOWN.items()
        for name, value in properties.items()
    )
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(
        f'<oor:items xmlns:oor="http://openoffice.org/2001/registry">{items}</oor:items>'
    )


def _unconvertible() -> Refused:
    return Refused(
        "LibreOffice could not read this Word file. Save the template again in Word and try once more.",
        slug="not-convertible",
    )
