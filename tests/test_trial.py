"""`template check`: a template is filled with every sample, and two engines hold each other to account."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from PIL import Image

from pepforms import forms, settings, trial
from pepforms.errors import Broken, Refused
from pepforms.resources import folder
from pepforms.wiring import Wiring

NAMESPACES = """\
xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"
xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office\""""
RULE = '<v:rect style="width:0;height:1.5pt" o:hrstd="t" o:hr="t" fillcolor="#a0a0a0" stroked="f"/>'
PICTURE = '<v:shape style="width:75pt;height:75pt"><v:imagedata r:id="{id}"/></v:shape>'


def check(*files: Path | str, path: str | None = None, seconds: int = 300) -> tuple[int, str, str]:
    """Run the command: its exit code, what it says, and what it says on standard error."""
    pepforms = Path(sys.executable).with_name("pepforms")
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    command = [pepforms, "template", "check", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


def saved(word: Any, path: Path) -> Path:
    word.save(path)
    return path


def drawn_the_old_way(path: Path, *drawings: str) -> Path:
    """A template with words, and with drawings as Word made them before 2007: rdocx knows only the newer kind."""
    word, image = docx.Document(), io.BytesIO()
    word.add_paragraph("For {{ child.preferred_name }}")
    Image.new("RGB", (60, 40), "red").save(image, "png")
    identity, _ = word.part.get_or_add_image(image)
    for drawing in drawings:
        xml = f"<w:p {NAMESPACES}><w:r><w:pict>{drawing.format(id=identity)}</w:pict></w:r></w:p>"
        word.element.body[-1].addprevious(parse_xml(xml))
    return saved(word, path)


def with_a_bullet_that_nobody_draws(path: Path) -> Path:
    word = docx.Document()
    word.add_paragraph("For {{ child.preferred_name }}", style="List Bullet")
    for level in word.part.numbering_part.element.iter(qn("w:lvl")):
        if (sign := level.find(qn("w:lvlText"))).get(qn("w:val")) == "\uf0b7":
            sign.set(qn("w:val"), "\uf061")
            for one in ("ascii", "hAnsi"):
                level.find(f".//{qn('w:rFonts')}").set(qn(f"w:{one}"), "Webdings")
    return saved(word, path)


@pytest.mark.slow
def test_both_engines_agree_on_every_sample_for_every_reader_in_the_templates_of_all_forms() -> None:
    code, said, complaints = check(seconds=1800)
    assert (code, complaints) == (0, "")
    templates = sorted(form.template.name for form in forms.catalogue().values())
    assert sorted(line.split(":")[0] for line in said.splitlines()) == templates
    assert all(line.endswith("good with every sample, by rdocx and libreoffice") for line in said.splitlines())


def test_a_template_of_which_an_engine_loses_something_exits_65_and_says_what(tmp_path: Path) -> None:
    code, said, complaints = check(with_a_bullet_that_nobody_draws(tmp_path / "spider.docx"), "--format", "json")
    assert (code, complaints) == (65, "")
    (entry,) = json.loads(said)["results"]
    differ = [one["message"] for one in entry["findings"] if one["slug"] == "engines-differ"]
    (message,) = differ
    samples = sorted(path.name for path in (folder("samples") / "valid").glob("*.json"))
    for audience in ("authority", "school", "carer", "child"):
        assert re.findall(rf"([\w-]+\.json) for {audience}\b", message) == samples
    assert message.startswith("spider.docx with ")
    assert "the PDF by rdocx" in message
    assert "1 characters on page 1 are drawn as empty boxes" in message


def test_the_same_fault_of_several_samples_is_told_once_with_their_names() -> None:
    one, other, third = (trial.Filled("mine.docx", f"{name}.json for school", b"") for name in ("a", "b", "c"))
    lost = Refused("mine.docx with a.json for school: 1 word missing.", slug="engines-differ")
    also = Refused("mine.docx with c.json for school: 1 word missing.", slug="engines-differ")
    slow = Broken("mine.docx with b.json for school: 1 word missing.", slug="text-lost")
    folded = [*trial.folded([(one, lost), (other, slow), (third, also), (third, None)])]
    assert [(type(fault), fault.slug, str(fault)) for fault in folded] == [
        (Refused, "engines-differ", "mine.docx with a.json for school; c.json for school: 1 word missing."),
        (Broken, "text-lost", "mine.docx with b.json for school: 1 word missing."),
    ]


@pytest.mark.parametrize("work", ["filling it with every sample", "comparing its PDFs"])
def test_what_takes_too_long_to_try_says_so_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    wiring = Wiring(settings.load())
    data, form = plain(tmp_path / "mine.docx").read_bytes(), forms.named("qa-feedback")
    (first, *_) = trial.fill(data, "mine.docx", form, None, wiring)
    for share in ("READING_SECONDS", "_SECONDS_A_DOCUMENT", "_SECONDS_A_MEGABYTE"):
        monkeypatch.setattr(trial, share, 1e-6)
    begin: dict[str, Callable[[], Any]] = {
        "filling it with every sample": lambda: trial.fill(data, "mine.docx", form, None, wiring),
        "comparing its PDFs": lambda: trial.judge(first, (wiring.rdocx,), wiring),
    }
    with pytest.raises(Refused) as told:
        begin[work]()
    assert told.value.slug == "worker-lost"
    assert f"{work} took longer than 0 seconds" in str(told.value)
    assert "make the template shorter." in str(told.value)
    assert "others go on" not in str(told.value)


def test_a_drawing_that_one_engine_loses_is_seen(tmp_path: Path) -> None:
    wiring = Wiring(settings.load())
    old = drawn_the_old_way(tmp_path / "old.docx", RULE, PICTURE).read_bytes()
    first, *_ = trial.fill(old, "old.docx", forms.named("pep"), None, wiring)
    with pytest.raises(Refused) as told:
        trial.judge(first, trial.engines(wiring), wiring)
    assert "rdocx draws 0 single lines, libreoffice 1;" in str(told.value)
    assert "rdocx draws 0 pictures of 0 square points, libreoffice 1 pictures of 5625 square points." in str(told.value)


def plain(path: Path) -> Path:
    word = docx.Document()
    word.add_paragraph("For {{ child.preferred_name }}")
    return saved(word, path)


def misspelt(path: Path) -> Path:
    word = docx.Document()
    word.add_table(2, 2).cell(1, 1).text = "{{ child.preferred_nam }}"
    return saved(word, path)


def bomb(path: Path) -> Path:
    """A Word file of a few KB whose text takes 600 MB to read."""
    word = docx.Document()
    word.add_paragraph("{{ child.preferred_name }}")
    saved(word, path)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist() if name != "word/document.xml"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in parts.items():
            out.writestr(name, data)
        with out.open("word/document.xml", "w", force_zip64=True) as text:
            for _ in range(60):
                text.write(b" " * 10_000_000)
    return path


def no_word_file(path: Path) -> Path:
    path.write_bytes(b"junk")
    return path


@pytest.mark.parametrize(
    ("make", "code", "told"),
    [
        (misspelt, 65, "table 1, row 2, cell 2"),
        (bomb, 65, ""),
        (no_word_file, 65, "no_word_file.docx"),
        (lambda path: path, 66, "cannot be read: no such file or directory"),
    ],
    ids=["misspelt", "a bomb", "no Word file", "not there"],
)
def test_what_is_no_good_as_a_template_is_refused_where_it_stands(
    tmp_path: Path, make: Callable[[Path], Path], code: int, told: str
) -> None:
    found, said, complaints = check(make(tmp_path / f"{make.__name__}.docx"))
    assert found == code
    assert told in said + complaints
    assert "good with every sample" not in said
    assert "Traceback" not in complaints


def test_without_libreoffice_it_says_that_one_engine_alone_has_judged(tmp_path: Path) -> None:
    code, said, complaints = check(plain(tmp_path / "mine.docx"), path="/nowhere")
    assert code == 0
    assert said.endswith("\nmine.docx: good with every sample, by rdocx\n")
    assert complaints.startswith("LibreOffice is not installed, so rdocx is held to account by no other. Install it (")
