"""The recipe over real engines: what documents and records are made of, and what is refused before any is made."""

import csv
import dataclasses
import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from pepforms import digest, files, forms, naming, pipeline, profile, resources, settings
from pepforms.archive import manifest, verify
from pepforms.archive.pdfa import Judge
from pepforms.audience.case import Reader
from pepforms.errors import Misconfigured, Refused, Unavailable
from pepforms.model import Pep
from pepforms.wiring import Wiring

VALID = resources.folder("samples") / "valid"
SIGNED = (VALID / "year-8-confidential-placement.json").read_bytes()


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory, judge: Judge) -> Iterator[Wiring]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    wiring.judge = judge
    wiring.use_demonstration_key()
    yield wiring
    wiring.converter.close()


@pytest.fixture(scope="module")
def record(wiring: Wiring) -> pipeline.Record:
    return pipeline.archive(json.loads(SIGNED), forms.named("pep"), wiring)


def tagged_text(pdf: bytes) -> str:
    shown = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return " ".join(shown.split())


FEW = ("college-esol", "unaccompanied-16-tigrinya", "year-3-draft", "year-5-review")
"""The records of all that are signed off are judged in the demonstration."""


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in FEW else pytest.mark.slow)
        for path in sorted(VALID.glob("*.json"))
    ],
)
def test_every_sample_becomes_a_pdf_that_passes_vera_pdf(sample: Path, wiring: Wiring) -> None:
    pep, _ = pipeline.checked(sample.read_bytes(), "draft", wiring.profile)
    made = pipeline.render(pep, forms.named("pep"), "authority", "pdf", wiring)
    assert wiring.judge is not None
    for flavour in ("2a", "ua1"):
        assert wiring.judge.judge(made.data, flavour).failures == ()


def test_a_document_shows_the_childs_words_and_a_draft_says_so(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    del pep["sign_offs"]
    made = pipeline.render(pep, forms.named("pep"), "authority", "pdf", wiring)
    text = tagged_text(made.data)
    assert "Science: if noise > 3 people I can’t think, if noise < 3 I can" in text
    pages = len(pikepdf.open(io.BytesIO(made.data)).pages)
    assert text.count("Draft: not signed off") == pages + 1


def test_every_document_and_record_tells_which_version_of_the_template_made_it(
    wiring: Wiring, record: pipeline.Record
) -> None:
    form = forms.named("pep")
    assert form.letterhead
    template, letterhead = (hashlib.sha256(file.read_bytes()).hexdigest() for file in (form.template, form.letterhead))
    version = f"sha256:{template}, letterhead sha256:{letterhead}"
    pdf = pipeline.render(json.loads(SIGNED), form, "authority", "pdf", wiring)
    for made in (pdf, record.document):
        with pikepdf.open(io.BytesIO(made.data)) as document:
            assert f"<stRef:documentID>{version}</" in document.Root.Metadata.read_bytes().decode()
    word = pipeline.render(json.loads(SIGNED), form, "authority", "docx", wiring)
    with zipfile.ZipFile(io.BytesIO(word.data)) as parts:
        assert f"<Template>{version}</Template>" in parts.read("docProps/app.xml").decode()


def test_the_same_pep_gives_the_same_document(wiring: Wiring) -> None:
    first, second = (
        pipeline.render(json.loads(SIGNED), forms.named("pep"), "authority", "pdf", wiring) for _ in range(2)
    )
    assert first == second


def test_a_record_holds_and_carries_the_pep_as_it_was_signed(record: pipeline.Record, wiring: Wiring) -> None:
    facts = wiring.verify(record.document.data)
    assert facts.holds
    assert (facts.pdfa.claims, facts.pdfua.claims) == ("PDF/A-3a", "PDF/UA-1")
    carried = json.loads(verify.embedded(record.document.data) or b"")
    assert digest.pep_digest(carried) == carried["sign_offs"][0]["digest"]
    assert not {"quality", "distribution", "follow_up"} & carried.keys()


def test_the_stamp_names_who_signed_and_the_meeting_and_no_child(record: pipeline.Record, wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    stamp = pipeline.mark(pep, wiring.profile)
    text = " ".join((stamp.heading, *stamp.lines))
    assert (
        "Signed off by the Virtual School on 19 November 2026 as the record of the meeting of 17 November 2026" in text
    )
    assert "Sasha Mockworth, Virtual School Officer" in text
    assert pep["sign_offs"][0]["digest"][:16] in text
    private = [pep["child"]["lcs_person_id"], pep["child"]["upn"], pep["child"]["preferred_name"]]
    assert not [value for value in private if value in text]


def test_a_document_is_called_what_the_authority_calls_it() -> None:
    pep, form = json.loads(SIGNED), forms.named("pep")
    for name, called in (("hillingdon", "Personal Education Plan"), ("example-shire", "My Learning Plan")):
        told = pipeline.told(pep, form, "authority", profile.load(name))
        assert (told["form"], told["title"]) == (called, f"{called}, autumn term 2026/27")
    assert (told["child_term"], told["child_term_plural"]) == ("cared-for child", "cared-for children")


def test_a_record_has_its_row_in_the_manifest(record: pipeline.Record, tmp_path: Path) -> None:
    manifest.add(tmp_path, [record.row])
    (row,) = csv.DictReader((tmp_path / "manifest.csv").read_text().splitlines())
    assert row["filename"] == "900008_PEP_2026-27_AUT_2026-11-17_PEP-0008-A26_v1.pdf"
    assert row["sha256"] == digest.sha256(record.document.data)
    assert row["retention_until"] == "2089-03-14"
    assert row["pdf_standard"] == "PDF/A-3a, PDF/UA-1"


def test_a_corrected_version_supersedes_and_another_pep_of_the_term_does_not(
    record: pipeline.Record, tmp_path: Path
) -> None:
    from dataclasses import replace

    second = replace(record.row, version="2", filename="b.pdf")
    other = replace(record.row, pep_id="PEP-other", version="3", filename="c.pdf")
    manifest.add(tmp_path, [record.row])
    manifest.add(tmp_path, [second, other])
    rows = {row.filename: row for row in manifest.read(tmp_path)}
    assert rows["b.pdf"].supersedes == record.row.filename
    assert rows["c.pdf"].supersedes == ""
    assert len(rows) == 3


def test_a_foreign_manifest_is_never_overwritten(record: pipeline.Record, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("who,what\n")
    with pytest.raises(Refused):
        manifest.add(tmp_path, [record.row])
    assert (tmp_path / "manifest.csv").read_text() == "who,what\n"


def test_a_death_after_sign_off_shortens_how_long_the_record_is_kept_and_leaves_it_alone(
    record: pipeline.Record, wiring: Wiring
) -> None:
    pep = json.loads(SIGNED) | {"follow_up": {"died_on": "2027-01-05"}}
    again = pipeline.still_stands(record.document.data, pep, forms.named("pep"), wiring)
    assert again is not None
    assert again.document == record.document
    assert again.row.retention_until == "2042-01-05"


def test_an_unsigned_pep_is_refused_with_every_problem(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    del pep["sign_offs"], pep["targets"][0]["baseline"]
    with pytest.raises(Refused) as refused:
        pipeline.checked(json.dumps(pep).encode(), "record", wiring.profile)
    assert {"/targets/0/baseline", "/sign_offs"} <= {problem.pointer for problem in refused.value.problems}


def test_a_form_is_made_for_no_reader_it_does_not_name() -> None:
    with pytest.raises(Refused, match="authority"):
        forms.named("pep").offered("governor")


REMAND = json.loads((VALID / "year-11-remand.json").read_text(encoding="utf-8"))


def places(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every place of a PEP, and what stands there."""
    yield at, value
    for name, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, f"{at}/{name}")


def words_in(value: Any) -> str:
    if isinstance(value, dict | list):
        return " ".join(words_in(part) for part in (value.values() if isinstance(value, dict) else value))
    return str(value)


@pytest.mark.parametrize(
    ("pep", "reader", "what"),
    [
        (json.loads(SIGNED), Reader("school"), "leave_out"),
        (json.loads(SIGNED), Reader("parent", "mum"), "leave_out"),
        (json.loads(SIGNED), Reader("parent", "mum"), "reword"),
        (json.loads(SIGNED), Reader("school"), "accept"),
        (REMAND, Reader("carer"), "leave_out"),
        (REMAND, Reader("child"), "leave_out"),
        (REMAND, Reader("child"), "reword"),
    ],
    ids=lambda given: given if isinstance(given, str) else getattr(given, "audience", ""),
)
def test_whatever_is_decided_a_copy_is_filled_or_refused_in_a_sentence(
    pep: Pep, reader: Reader, what: str, wiring: Wiring
) -> None:
    form = forms.named("pep")
    row = {"recipient": "R", "audience": reader.audience, "released_by": "sw", "released_on": "2026-11-23"}
    row |= {"person": reader.person} if reader.person else {}
    made = {"decision": what, "words": "Other words", "reason": "So", "by": "vso", "on": "2026-11-20"}
    outcomes: set[object] = set()
    plain = pipeline.copy_for(pep | {"distribution": [row]}, form, reader)
    for place, value in places(pep):
        decision = made | {"pointer": place, "about": words_in(value) or "nothing"}
        try:
            copy = pipeline.copy_for(pep | {"distribution": [row | {"decisions": [decision]}]}, form, reader)
            facts = pipeline.told(pep, form, reader.audience, wiring.profile, person=reader.person, seen=copy.pep)
            if copy.pep != plain.pep:  # it is not of what is withheld anyway
                wiring.template(form).fill(copy.pep, facts, copy.fields)
            outcomes.add("filled")
        except Refused as refused:
            outcomes.add((refused.slug, str(refused)[-1]))
    assert outcomes == {"filled", ("decision-not-possible", ".")}


def test_a_signed_copy_can_be_made_without_its_meeting(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    about = {"about": words_in(pep["meeting"]), "reason": "So", "by": "vso", "on": "2026-11-20"}
    pep["distribution"][1]["decisions"] += [{"pointer": "/meeting", "decision": "leave_out", **about}]
    assert pipeline.render(pep, forms.named("pep"), "parent", "docx", wiring, person="mum").data


def test_only_a_document_that_prints_a_picture_waits_for_somebody_to_look_at_it(wiring: Wiring) -> None:
    pep = json.loads((VALID / "year-5-review.json").read_text(encoding="utf-8"))
    assert pep["views"]["child"]["pictures"]
    for name, audience, waits in (
        ("pep", "school", True), ("my-plan", "child", True), ("pp-plus-statement", "school", False),
        ("meeting-invitation", "school", False), ("action-sheet", "school", False),
    ):  # fmt: skip
        form: Any = (pep, forms.named(name), audience, "docx", wiring)
        person = "dt" if name == "action-sheet" else None
        if waits:
            with pytest.raises(Refused, match="a picture cannot be searched"):
                pipeline.render(*form, person=person, confidential=True)
        else:
            assert pipeline.render(*form, person=person, confidential=True).data


def test_a_sheet_for_one_person_leaves_out_what_the_plan_asks_of_others_and_is_not_held_for_their_words(
    wiring: Wiring,
) -> None:
    pep = json.loads(SIGNED)
    sheet = (forms.named("action-sheet"), "school", "docx", wiring)
    others = pep["actions"][1]["action"] = "Invite the carers to the next meeting"
    made = pipeline.render(pep, *sheet, person="dt")
    assert "/actions/1/action" in {fact.pointer for fact in made.left_out}
    with zipfile.ZipFile(io.BytesIO(made.data)) as docx:
        assert others not in docx.read("word/document.xml").decode()
    pep["actions"][0]["action"] = f"Ring the school. {others}"
    assert pipeline.render(pep, *sheet, person="dt").data


def test_what_no_copy_of_the_reader_shows_is_looked_for_in_a_sheet_for_one_person(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    pep["actions"][0]["action"] = "Write to 1 Invented Street, Nowheretown"
    with pytest.raises(Refused) as refused:
        pipeline.render(pep, forms.named("action-sheet"), "school", "docx", wiring, person="dt")
    assert {(each.slug, each.pointer) for each in refused.value.problems} == {("leak", "/actions/0/action")}


def test_file_names_hold_no_personal_data_whatever_the_identifiers(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    pep["pep"]["id"] = "../../etc/Quill Testchild"
    assert naming.record(pep) == "900008_PEP_2026-27_AUT_2026-11-17_------etc-Quill-Testchild_v1.pdf"


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    files.write(file, b"first")
    with pytest.raises(Refused):
        files.write(file, b"second")
    files.write(file, b"second", force=True)
    assert file.read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    with pytest.raises(Misconfigured):
        files.write(tmp_path / "none" / "b.pdf", b"")
    with pytest.raises(Unavailable), files.told(file), Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def test_of_two_different_files_for_one_name_at_once_only_one_is_written(tmp_path: Path) -> None:
    def put(data: bytes) -> bytes | None:
        try:
            files.write(tmp_path / "a.pdf", data)
        except Refused:
            return None
        return data

    with ThreadPoolExecutor(8) as pool:
        written = [data for data in pool.map(put, [bytes([number]) * 50_000 for number in range(8)]) if data]
    assert written == [(tmp_path / "a.pdf").read_bytes()]
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


def test_settings_come_from_the_file_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "pepforms.toml").write_text('profile = "a"\n[archive]\nvalidate = "off"\n')
    environment = {"PEPFORMS_HOME": str(tmp_path), "PEPFORMS_PROFILE": "b"}
    chosen = settings.load(environment)
    assert (chosen["profile"], chosen["archive.validate"]) == ("b", "off")


@pytest.mark.parametrize(
    "text",
    ["[seal]\nkee_file = 'x'", "[archive]\nvalidate = 'sometimes'", "profile = 7", "[", "[archive]\nvalidate = true"],
)
def test_a_fault_in_the_settings_names_the_file_or_the_key(text: str, tmp_path: Path) -> None:
    (tmp_path / "pepforms.toml").write_text(text)
    with pytest.raises(Misconfigured):
        settings.load({"PEPFORMS_HOME": str(tmp_path)})


def test_a_pack_never_holds_a_copy_that_its_reader_may_not_have(wiring: Wiring) -> None:
    pep, form = json.loads(SIGNED), forms.named("school-move-pack")
    with pytest.raises(Refused, match="made for school, and qa-feedback is not") as refused:
        pipeline.pack([pep], form, forms.named("qa-feedback"), "school", wiring)
    assert refused.value.slug == "not-gathered"
    with pytest.raises(Refused, match="not made for “child”"):
        pipeline.pack([pep], form, forms.named("pp-plus-statement"), "child", wiring)


def test_a_pack_that_is_refused_says_of_which_pep(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    older = json.loads(SIGNED)
    older["pep"] |= {"id": "older", "academic_year": "2025/26", "term": "summer"}
    older["actions"][0]["action"] = "Write to 1 Invented Street, Nowheretown"
    with pytest.raises(Refused, match=r"^PEP older, summer term 2025/26: This copy is not made") as refused:
        pipeline.pack([pep, older], forms.named("school-move-pack"), forms.named("pep"), "school", wiring)
    assert refused.value.slug == "leak"
    assert refused.value.problems[0].pointer == "/actions/0/action"


def test_no_record_is_made_from_a_form_that_is_not_the_authoritys(wiring: Wiring) -> None:
    with pytest.raises(Refused, match="not made for “authority”"):
        pipeline.archive(json.loads(SIGNED), forms.named("my-plan"), wiring)


def test_a_notice_names_the_person_and_reads_nothing_else_between_braces(wiring: Wiring) -> None:
    pep = json.loads(SIGNED)
    form = dataclasses.replace(forms.named("action-sheet"), notice="{person}: {name} {person.__class__}")
    told = pipeline.told(pep, form, "school", wiring.profile, person=pep["people"][0]["id"])
    assert told["notice"] == f"{pep['people'][0]['name']}: {{name}} {{person.__class__}}"
