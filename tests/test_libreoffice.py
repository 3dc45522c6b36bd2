"""LibreOffice as an engine: what it must not leave behind, and what must not pass from one document to the next."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.sax.saxutils import escape

import docx
import pikepdf
import pytest

from pepforms import forms, pipeline, profile
from pepforms.archive import stamp
from pepforms.archive.pdfa import Judge, Verdict
from pepforms.convert import libreoffice
from pepforms.convert.libreoffice import LibreOffice
from pepforms.errors import Misconfigured
from pepforms.fill import Template
from pepforms.resources import folder
from pepforms.text import pdf

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def word_file(text: str, *, font: str = "Arial") -> bytes:
    """A Word file in one font, which it does not embed; signs that the font lacks have a font of ours."""
    word, buffer = docx.Document(), io.BytesIO()
    run = word.add_paragraph().add_run(text)
    fonts = {f"{W}{script}": font for script in ("ascii", "hAnsi", "cs", "eastAsia")}
    run._r.get_or_add_rPr().append(run._r.makeelement(f"{W}rFonts", fonts))
    word.save(buffer)
    return buffer.getvalue()


def ethiopic(text: str, *, font: str) -> bytes:
    """A Word file that embeds the letters that it needs of Noto Sans Ethiopic, as the font of that name."""
    filled, renamed = Template(word_file(text), name="plan.docx").fill({"pep": {}}, {}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(filled)) as package, zipfile.ZipFile(renamed, "w") as out:
        for part in package.namelist():
            out.writestr(part, package.read(part).replace(b"Noto Sans Ethiopic", escape(font).encode()))
    return renamed.getvalue()


def drawn_with(engine: LibreOffice, word: bytes) -> set[str]:
    with pikepdf.open(io.BytesIO(engine.convert(word, about="plan"))) as document:
        names = (font.BaseFont for page in document.pages for font in page.obj.Resources.Font.values())
        return {str(name).rsplit("+", 1)[-1] for name in names}


def test_the_fonts_that_a_document_embeds_draw_it_and_never_another_document() -> None:
    engine, theirs = LibreOffice(processes=1), {"NotoSansEthiopic-Regular"}
    try:
        before = drawn_with(engine, word_file("ሰላም", font="Quillfont"))
        assert before.isdisjoint(theirs)
        for text in ("ሰላም", "ሳሻ", "ሰላም"):  # each with a font of the same name that holds other letters
            assert drawn_with(engine, ethiopic(text, font="Quillfont")) == theirs
            assert drawn_with(engine, ethiopic(text, font="Q & “sons”")) == theirs
        assert drawn_with(engine, word_file("ሰላም", font="Quillfont")) == before
    finally:
        engine.close()


def emptied(folder: Path) -> bool:
    """Whether a folder is empty, or is so soon."""
    until = time.monotonic() + 5
    while [*folder.iterdir()] and time.monotonic() < until:
        time.sleep(0.02)
    return not [*folder.iterdir()]


def test_it_works_in_a_private_folder_that_keeps_no_document_and_goes_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    engine = LibreOffice(processes=1)
    try:
        engine.convert(word_file("Words"), about="plan")
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not [*folder.rglob("*.docx"), *folder.rglob("*.pdf")]
        (process,) = engine._pool._running
        os.kill(process._process.pid, signal.SIGKILL)
        assert emptied(tmp_path)
        assert engine.convert(word_file("Words"), about="plan").startswith(b"%PDF-")
    finally:
        engine.close()
    assert emptied(tmp_path)


KILLED = """\
import os, sys
from pepforms.convert.libreoffice import LibreOffice
engine = LibreOffice(processes=1)
engine.convert(open(sys.argv[1], "rb").read(), about="plan")
os.kill(os.getpid(), 9)
"""


def test_its_folder_goes_even_when_the_whole_program_is_killed(tmp_path: Path) -> None:
    (tmp_path / "plan.docx").write_bytes(word_file("Words"))
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    command = [sys.executable, "-c", KILLED, tmp_path / "plan.docx"]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == -signal.SIGKILL
    assert emptied(tmp_path / "temporary")


def test_it_tells_its_version() -> None:
    assert re.fullmatch(r"LibreOffice \d+\.\d+\.\d+\.\d+", libreoffice.version())


def test_where_it_is_not_installed_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for ask in (LibreOffice, libreoffice.version):
        with pytest.raises(
            Misconfigured, match=r"^LibreOffice is not installed\. Install it .* Or set convert\.engine"
        ):
            ask()


@pytest.fixture(scope="module")
def filled() -> dict[str, bytes]:
    """Every sample in the PEP template."""
    form, ours = forms.named("pep"), profile.load("hillingdon")
    template = Template(form.template.read_bytes(), name=form.template.name)
    found = {}
    for path in sorted((folder("samples") / "valid").glob("*.json")):
        pep, _ = pipeline.checked(path.read_bytes(), "draft", ours)
        found[path.stem] = template.fill(pep, pipeline.told(pep, form, "authority", ours))
    return found


FEW = ("year-5-review", "unaccompanied-16-tigrinya", "year-9-dual-roll")
"""A picture, another script, tables that run over pages."""


@pytest.mark.parametrize(
    "samples", [pytest.param(FEW, id="few"), pytest.param(None, id="every", marks=pytest.mark.slow)]
)
def test_a_sample_is_pdfa_3a_with_data_and_pdfua_1_without_one_failure(
    filled: dict[str, bytes], judge: Judge, samples: tuple[str, ...] | None
) -> None:
    stamped = stamp.Stamp("Signed off by the Virtual School", ("Łucja Mockworth, Virtual School Officer", "PEP-1"))
    data = stamp.Embedded("pep.json", b"{}", "application/json", "The data of this PEP")
    engine, words = LibreOffice(), {name: filled[name] for name in samples or filled}

    def judged(one: tuple[str, bytes]) -> dict[str, Verdict]:
        name, word = one
        pdf = engine.convert(word, about=name)
        record = stamp.finish(pdf, title="PEP", stamp=stamped, embedded=data)
        verdicts = {f"{name} {flavour}": judge.judge(record, flavour) for flavour in ("3a", "ua1")}
        if name == next(iter(words)):  # a copy is the same without the data
            verdicts[f"{name} 2a"] = judge.judge(stamp.finish(pdf, title="PEP"), "2a")
        return verdicts

    try:
        with ThreadPoolExecutor(2) as threads:
            found = [verdict for one in threads.map(judged, words.items()) for verdict in one.items()]
    finally:
        engine.close()
    assert [name for name, verdict in found if verdict != Verdict(conforms=True)] == []
    assert len(found) == 2 * len(words) + 1


def test_rows_that_may_not_be_split_are_not_lost_at_the_end_of_a_page(filled: dict[str, bytes]) -> None:
    engine = LibreOffice(processes=1)
    pages = pdf.read(engine.convert(filled["year-9-dual-roll"], about="rows")).pages
    engine.close()
    said = "".join(piece for page in pages for piece in page.said)
    assert [row for row in ("English", "Mathematics", "Animal care") if row not in said] == []
