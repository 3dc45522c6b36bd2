"""Install: an authority's own templates are used once they have proved themselves, and otherwise change nothing."""

import hashlib
import io
import os
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest

from pepforms import install, report, resources, settings
from pepforms.archive.pdfa import Judge
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Refused, Unavailable
from pepforms.wiring import Wiring

SAMPLE = resources.folder("samples") / "valid/year-5-review.json"
ROWS = """\
[our-letter]
title = "A letter of ours, \\"quoted\\""
template = "letter.docx"
audiences = ["authority"]
"""


@pytest.fixture
def wiring(tmp_path: Path, judge: Judge) -> Iterator[Wiring]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path / "home")}))
    wiring.judge = judge
    yield wiring
    wiring.converter.close()


MARKS = "{{ document.marking }}{% if document.draft %} Draft{% endif %} {{ document.notice }}"


def letter(text: str = "Dear {{ child.preferred_name }}", *, level: int = 1) -> bytes:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = MARKS
    word.add_heading("A letter", level)
    word.add_paragraph(text)
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def pack(folder: Path, template: bytes | None = None, rows: str | None = ROWS) -> Path:
    folder.mkdir(exist_ok=True)
    if rows is not None:
        (folder / "forms.toml").write_text(rows)
    (folder / "letter.docx").write_bytes(template or letter())
    return folder


def zipped(folder: Path, path: Path, *, within: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, within + file.name)
    return path


def pepforms(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("pepforms")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PEPFORMS_HOME": str(home), "LANG": "C.UTF-8"}
    environment |= {"JAVA_TOOL_OPTIONS": os.environ["JAVA_TOOL_OPTIONS"]}
    return subprocess.run([program, *map(str, words)], env=environment, capture_output=True, text=True, timeout=300)


def test_an_installed_form_is_listed_and_made_and_tells_its_version(tmp_path: Path) -> None:
    home, template = tmp_path / "home", letter()
    version = hashlib.sha256(template).hexdigest()
    given = zipped(pack(tmp_path / "ours", template), tmp_path / "ours.zip", within="ours/")
    installed = pepforms(home, "template", "install", given)
    assert installed.returncode == 0, installed.stderr
    kept = home / "templates" / f"letter.{version[:12]}.docx"
    assert installed.stdout == f"our-letter: installed as {kept}\n"
    assert kept.read_bytes() == template
    assert home.stat().st_mode & 0o777 == 0o700
    listed = pepforms(home, "template", "list").stdout
    assert 'A letter of ours, "quoted"' in listed
    assert "pep.docx" in listed
    made = pepforms(home, "render", SAMPLE, "--form", "our-letter", "--to", "docx", "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(made.stdout.strip()) as parts:
        assert f"sha256:{version}" in parts.read("docProps/app.xml").decode()
        assert "Dear Otti" in parts.read("word/document.xml").decode()


def test_a_template_that_fails_with_a_sample_is_refused_with_its_cell_and_nothing_is_kept(tmp_path: Path) -> None:
    refused = pepforms(
        tmp_path / "home", "template", "install", pack(tmp_path / "ours", letter("{{ child.prefered_name }}"))
    )
    assert refused.returncode == 65
    assert "did its author mean “preferred_name”" in refused.stderr
    assert "Nothing was installed." in refused.stderr
    assert not (tmp_path / "home").exists()


def test_a_template_whose_pdf_vera_pdf_does_not_pass_is_refused(tmp_path: Path, wiring: Wiring) -> None:
    found = install.read(pack(tmp_path / "ours", letter(level=3)))  # whose heading is no heading of anything above it
    name, fault = next(install.faults(found, wiring))
    assert name == "letter.docx"
    assert "is not PDF/UA-1 (7.4.2-1" in str(fault)


def test_nothing_is_installed_where_vera_pdf_cannot_judge(tmp_path: Path) -> None:
    blind = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path / "home"), "PEPFORMS_ARCHIVE_VALIDATE": "off"}))
    with pytest.raises(Misconfigured, match=r"archive\.validate is off"):
        list(install.faults(install.read(pack(tmp_path / "ours")), blind))


def test_a_newer_version_takes_the_place_of_an_older_one_which_stays(tmp_path: Path, wiring: Wiring) -> None:
    other = ROWS.replace("our-letter", "other")
    one, two, three = letter("One"), letter("Two"), letter("Three")
    for rows, template in ((ROWS, one), (other, two), (ROWS, three)):
        install.keep(install.read(pack(tmp_path / "ours", template, rows)), wiring)
    forms = wiring.forms()
    assert (forms["our-letter"].template.read_bytes(), forms["other"].template.read_bytes()) == (three, two)
    assert {path.read_bytes() for path in wiring.installed.glob("letter.*.docx")} == {one, two, three}
    again = install.keep(install.read(pack(tmp_path / "ours", three)), wiring)
    assert again == [forms["our-letter"]]


def test_a_form_of_a_shipped_name_takes_its_place_and_leaves_the_others(tmp_path: Path, wiring: Wiring) -> None:
    shipped = wiring.forms()
    template = letter()
    rows = ROWS.replace("our-letter", "pep").replace('["authority"]', '["authority", "school"]')
    install.keep(install.read(pack(tmp_path / "ours", template, rows)), wiring)
    assert wiring.form("pep").template.read_bytes() == template
    assert {name: form for name, form in wiring.forms().items() if name != "pep"} == {
        name: form for name, form in shipped.items() if name != "pep"
    }


def test_what_a_row_says_is_kept_as_it_was_said(tmp_path: Path, wiring: Wiring) -> None:
    rows = ROWS + 'notice = "é \\\\ {person}\\u00a0“”"\nstages = ["sign-off", "record"]\nperson = true\n'
    install.keep(install.read(pack(tmp_path / "ours", rows=rows)), wiring)
    kept = install.read(wiring.installed).forms["our-letter"]
    assert (kept.notice, kept.stages, kept.person) == ("é \\ {person}\xa0“”", ("sign-off", "record"), True)


def letterhead(folder: Path, text: str = "From {{ document.virtual_school }}") -> Path:
    """A pack that brings a letterhead and nothing else: the shipped one, with a line more."""
    folder.mkdir()
    (folder / "forms.toml").write_text('letterhead = "head.docx"\n')
    word = docx.Document(str(resources.folder("templates") / "letterhead.docx"))
    word.add_paragraph(text)
    word.save(str(folder / "head.docx"))
    return folder


def test_a_letterhead_of_ones_own_stands_over_every_form_that_takes_one(tmp_path: Path, wiring: Wiring) -> None:
    install.keep(install.read(pack(tmp_path / "ours")), wiring)
    given = letterhead(tmp_path / "head")
    (installed,) = install.keep(install.read(given), wiring)
    forms = wiring.forms()
    assert forms["our-letter"].letterhead is None
    taken = {form.letterhead for form in forms.values() if form.name != "our-letter"}
    (kept,) = taken
    assert kept is not None
    assert (installed.name, installed.template) == ("letterhead", kept)
    assert kept.parent == wiring.installed
    assert kept.read_bytes() == (given / "head.docx").read_bytes()


def test_a_letterhead_with_a_fault_is_refused_before_any_form_is_tried(tmp_path: Path, wiring: Wiring) -> None:
    found = install.read(letterhead(tmp_path / "head", "From {{ document.virtual_shool }}"))
    ((name, fault),) = install.faults(found, wiring)
    assert (name, fault.slug) == ("head.docx", "unknown-field")


def test_a_newer_letterhead_takes_the_place_of_the_older_also_in_a_service_that_runs(
    tmp_path: Path, wiring: Wiring
) -> None:
    for text in ("Old words", "New words"):
        install.keep(install.read(letterhead(tmp_path / text, text)), wiring)
        form = wiring.form("action-sheet")
        assert form.letterhead
        assert form.letterhead.read_bytes() == (tmp_path / text / "head.docx").read_bytes()
        assert sha256(form.letterhead.read_bytes()) in wiring.template(form).version


def test_two_forms_of_one_word_file_each_stand_under_their_own_letterhead(tmp_path: Path, wiring: Wiring) -> None:
    two = ROWS + ROWS.replace("our-letter", "our-plain") + "letterhead = true\n"
    install.keep(install.read(pack(tmp_path / "ours", rows=two)), wiring)
    under = [" letterhead " in wiring.template(wiring.form(name)).version for name in ("our-letter", "our-plain")]
    assert under == [False, True]


def faults(folder: Path, wiring: Wiring) -> list[tuple[str, str, str]]:
    return [(name, fault.slug, str(fault)) for name, fault in install.faults(install.read(folder), wiring)]


def test_a_form_under_the_letterhead_in_use_needs_no_marks_of_its_own(tmp_path: Path, wiring: Wiring) -> None:
    word = docx.Document()
    word.save(str(tmp_path / "bare.docx"))
    bare = (tmp_path / "bare.docx").read_bytes()
    for more, blocked in (("letterhead = true\n", set()), ("", {"page-not-marked"})):
        ((_, found),) = install.findings(install.read(pack(tmp_path / "ours", bare, ROWS + more)), wiring)
        assert {one.slug for one in found if one.severity == "blocks"} == blocked


def test_a_fault_of_a_letterhead_is_its_own_and_told_once_for_all_forms(tmp_path: Path, wiring: Wiring) -> None:
    nested = "{% for one in people %}" * 8 + "{% endfor %}" * 8
    ((name, slug, told),) = faults(letterhead(tmp_path / "head", f"Ours {nested}"), wiring)
    assert (name, slug) == ("head.docx over pep", "template-refused")
    assert "its loops go round more than" in told
    assert told.endswith("So it is with 9 more.")


PACK = ROWS.replace('["authority"]', '["authority", "school"]') + 'gathers = "{}"\n'


@pytest.mark.parametrize(
    ("gathered", "said"),
    [
        ("qa-feedback", "a pack is made for school, and qa-feedback is not"),
        ("pp-plus", "there is no form “pp-plus”"),
        ("our-letter", "neither made for one person nor a pack itself"),
        ("school-move-pack", "neither made for one person nor a pack itself"),
        ("action-sheet", "neither made for one person nor a pack itself"),
    ],
)
def test_a_pack_gathers_only_what_each_of_its_readers_may_have(
    tmp_path: Path, wiring: Wiring, gathered: str, said: str
) -> None:
    ((name, slug, told),) = faults(pack(tmp_path / "ours", rows=PACK.format(gathered)), wiring)
    assert (name, slug) == ("forms.toml", "bad-forms")
    assert said in told


def test_a_pack_gathers_nothing_that_asks_for_more_than_it_does_itself(tmp_path: Path, wiring: Wiring) -> None:
    rows = PACK.format("qa-feedback").replace(', "school"', "")
    ((*_, told),) = faults(pack(tmp_path / "ours", rows=rows), wiring)
    assert "a pack is made at stage draft, and qa-feedback from stage sign-off on" in told


def test_a_pep_that_a_shipped_pack_could_not_gather_any_more_is_refused(tmp_path: Path, wiring: Wiring) -> None:
    ((*_, told),) = faults(pack(tmp_path / "ours", rows=ROWS.replace("our-letter", "pep")), wiring)
    assert "[school-move-pack] gathers" in told


def test_a_pep_that_lacks_what_a_record_must_say_is_refused(tmp_path: Path, wiring: Wiring) -> None:
    rows = ROWS.replace("our-letter", "pep").replace('["authority"]', '["authority", "school"]')
    found = faults(pack(tmp_path / "ours", rows=rows), wiring)
    assert {slug for _, slug, _ in found} == {"needed-not-printed"}
    assert any("child.date_of_birth" in told for *_, told in found)


def test_a_form_for_children_and_readers_of_whom_no_sample_tells_is_tried_with_others(
    tmp_path: Path, wiring: Wiring
) -> None:
    rows = ROWS.replace('["authority"]', '["parent"]') + 'phases = ["early_years"]\n'
    ((_, slug, told),) = faults(pack(tmp_path / "ours", letter(level=3), rows), wiring)
    assert slug == "not-archival"
    assert "for parent for " in told


def test_what_is_only_worth_a_look_is_said_at_the_install(tmp_path: Path) -> None:
    given = pack(tmp_path / "ours", letter("{{ child.prefered_name }}"))
    refused = pepforms(tmp_path / "home", "template", "install", given)
    assert "Please check: The document has no title." in " ".join(refused.stderr.split())


def test_one_cause_in_many_documents_is_told_once(tmp_path: Path, wiring: Wiring) -> None:
    ((_, slug, told),) = faults(pack(tmp_path / "ours", letter(level=3)), wiring)
    assert slug == "not-archival"
    assert re.search(r"is not PDF/UA-1 \(7\.4\.2-1.* So it is with \d+ more\.", told)


def test_a_kept_template_that_was_changed_by_hand_is_not_used_until_it_is_installed_again(
    tmp_path: Path, wiring: Wiring
) -> None:
    given = install.read(pack(tmp_path / "ours"))
    (form,) = install.keep(given, wiring)
    form.template.write_bytes(letter("By hand"))
    for state in ("not as it was installed", "gone"):
        with pytest.raises(Misconfigured, match=f"{state}.*pepforms template install"):
            wiring.template(form)
        healthy, told = report.doctor(wiring)
        assert not healthy
        assert state in told
        form.template.unlink(missing_ok=True)
    form.template.write_bytes(letter("By hand"))
    assert install.keep(given, wiring) == [form]
    assert wiring.template(form)


def test_doctor_names_the_letterhead_of_ones_own(tmp_path: Path, wiring: Wiring) -> None:
    (kept,) = install.keep(install.read(letterhead(tmp_path / "head")), wiring)
    assert f"0 of them the authority’s own, and its letterhead {kept.template.name}; " in report.doctor(wiring)[1]


@pytest.mark.parametrize("rows", [ROWS, 'letterhead = "letter.docx"\n'])
def test_doctor_tells_of_pages_without_marks_that_were_installed_under_older_rules(
    tmp_path: Path, wiring: Wiring, rows: str
) -> None:
    word = docx.Document()
    word.save(str(tmp_path / "bare.docx"))
    given = pack(tmp_path / "ours", (tmp_path / "bare.docx").read_bytes(), rows)
    (kept,) = install.keep(install.read(given), wiring)
    healthy, told = report.doctor(wiring)
    assert not healthy
    assert re.search(rf"NO  templates .*{kept.template}.* lack {{{{ document\.marking .*install it again", told)


def test_doctor_tells_of_a_list_of_forms_that_is_damaged(tmp_path: Path, wiring: Wiring) -> None:
    install.keep(install.read(pack(tmp_path / "ours")), wiring)
    assert "11 forms, 1 of them the authority’s own" in report.doctor(wiring)[1]
    (wiring.installed / "forms.toml").write_text("[our-letter")
    healthy, told = report.doctor(wiring)
    assert not healthy
    assert "forms.toml cannot be read" in told


def test_a_kept_row_that_is_refused_today_is_told_with_its_file_and_mended_by_the_next_pack(
    tmp_path: Path, wiring: Wiring
) -> None:
    install.keep(install.read(pack(tmp_path / "ours")), wiring)
    kept = wiring.installed / "forms.toml"
    kept.write_text('letterhead = ["head.docx"]\n' + kept.read_text() + 'notice = "For {name}"\n')
    with pytest.raises(Misconfigured, match=f"^{kept}, letterhead: .* Take letterhead out of this file, then install"):
        wiring.forms()
    kept.write_text(kept.read_text().partition("\n")[2])
    with pytest.raises(Misconfigured, match=r"Take \[our-letter\] out of this file, then install the pack again\."):
        wiring.forms()
    mended = pepforms(tmp_path / "home", "template", "install", tmp_path / "ours")
    assert mended.returncode == 0, mended.stderr
    assert wiring.form("our-letter").notice is None


def test_nothing_stays_of_a_pack_where_the_disk_is_full_before_the_end(tmp_path: Path, wiring: Wiring) -> None:
    given = install.read(pack(tmp_path / "ours", rows=ROWS + f'notice = "{"x" * 200_000}"\n'))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most[1]))
    try:
        with pytest.raises(Unavailable, match="the disk is full"):
            install.keep(given, wiring)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert list(wiring.installed.glob("*.docx")) == []
    assert "our-letter" not in wiring.forms()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (ROWS.replace("A letter", "Zo\xeb’s letter").encode("cp1252"), "Save forms.toml as UTF-8"),
        (ROWS.encode("utf-16"), "Save forms.toml as UTF-8"),
        (ROWS.encode("utf-16-le"), "Save forms.toml as UTF-8"),
    ],
)
def test_a_list_that_is_not_utf_8_is_refused_and_says_so(tmp_path: Path, written: bytes, said: str) -> None:
    folder = pack(tmp_path / "ours")
    (folder / "forms.toml").write_bytes(written)
    with pytest.raises(Misconfigured, match=said):
        install.read(folder)


def test_the_mark_that_windows_puts_before_utf_8_does_no_harm(tmp_path: Path, wiring: Wiring) -> None:
    folder = pack(tmp_path / "ours")
    (folder / "forms.toml").write_bytes(ROWS.encode("utf-8-sig"))
    install.keep(install.read(folder), wiring)
    kept = wiring.installed / "forms.toml"
    kept.write_bytes(b"\xef\xbb\xbf" + kept.read_bytes())
    assert wiring.form("our-letter").title == 'A letter of ours, "quoted"'


def test_capitals_and_the_slashes_of_windows_make_no_difference(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "Forms.toml").write_text(ROWS)
    (folder / "Letter.DOCX").write_bytes(letter("Same"))
    path = tmp_path / "ours.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            entry = zipfile.ZipInfo("ours")
            entry.filename = f"ours\\{file.name}"
            archive.writestr(entry, file.read_bytes())
    for given in (folder, path):
        assert install.read(given).templates == {"our-letter": (folder / "Letter.DOCX").read_bytes()}


def test_a_list_whose_name_windows_has_lengthened_is_named(tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours")
    (folder / "forms.toml").rename(folder / "forms.toml.txt")
    for given in (folder, zipped(folder, tmp_path / "ours.zip", within="ours/")):
        with pytest.raises(Refused, match=r"only forms\.toml\.txt"):
            install.read(given)


def test_what_a_pack_does_not_name_does_not_stand_in_its_way(tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours")
    (folder / "old.docx").mkdir()
    (folder / "gone.docx").symlink_to(folder / "nowhere")
    assert install.read(folder).templates == {"our-letter": (folder / "letter.docx").read_bytes()}
    (folder / "letter.docx").unlink()
    with pytest.raises(Refused, match=r"\[our-letter\]: there is no template letter\.docx"):
        install.read(folder)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (None, "holds no forms.toml"),
        ("", "lists no form"),
        ("[our-letter", "cannot be read"),
        ('our-letter = "x"', "a form is a table"),
        (ROWS.replace("our-letter", "Our_Letter"), "small letters, digits and hyphens"),
        (ROWS.replace("our-letter", '"../letter"'), "small letters, digits and hyphens"),
        (ROWS.replace('"authority"', '"everybody"'), "audiences"),
        (ROWS + 'note = "x"\n', "there is no such key"),
        (ROWS.replace("our-letter", "x" * 300), "hyphens, at most 40"),
        (ROWS + f'file_name = "{"x" * 300}"\n', "hyphens, at most 40"),
        (ROWS.replace("A letter", "A\\u0008letter"), "on one line"),
        (ROWS + 'notice = "For\\n{person}"\n', "on one line"),
        (ROWS + 'notice = "For {name}"\n', "no other braces"),
        (ROWS + 'notice = "For {person.__class__}"\n', "no other braces"),
        (ROWS.replace("our-letter", "pep").replace("authority", "school"), "offer it to the authority"),
        (ROWS.replace("our-letter", "pep") + 'stages = ["draft"]\n', "at stage record too"),
        (ROWS + 'person = "yes"\n', "write true or false"),
        (ROWS + 'orientation = "upright"\n', "use portrait or landscape"),
        (ROWS + "stages = []\n", "use draft, sign-off, record"),
        ('letterhead = "head.docx"\n', "beside forms.toml"),
        ("letterhead = true\n", "name a Word file"),
        (ROWS.replace("letter.docx", "missing.docx"), "beside forms.toml"),
        (ROWS.replace("letter.docx", "../ours/letter.docx"), "beside forms.toml"),
        (ROWS.replace("letter.docx", "/etc/passwd"), "beside forms.toml"),
        (ROWS.replace("letter.docx", "forms.toml"), "beside forms.toml"),
    ],
)
def test_a_pack_that_is_none_is_refused_and_says_what_to_do(tmp_path: Path, rows: str | None, said: str) -> None:
    folder = pack(tmp_path / "ours", rows=rows)
    for given in (folder, zipped(folder, tmp_path / "ours.zip")):
        with pytest.raises(PepformsError, match=said):
            install.read(given)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip"])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ours.zip").write_bytes(data)
    with pytest.raises(Refused, match="no ZIP"):
        install.read(tmp_path / "ours.zip")


def test_a_pack_that_is_not_there_is_told(tmp_path: Path) -> None:
    result: Any = pepforms(tmp_path / "home", "template", "install", tmp_path / "nowhere")
    assert result.returncode == 66
    assert "cannot be read" in result.stderr
