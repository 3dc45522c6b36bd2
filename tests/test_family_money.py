"""Statement, invitation, feedback and move pack: each says what it must, and to nobody what it may not."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from pepforms import pipeline, profile, resources, settings
from pepforms.errors import Refused
from pepforms.fill import words
from pepforms.model import Audience, Pep
from pepforms.text import pdf as pdf_text
from pepforms.wiring import Wiring

VALID = resources.folder("samples") / "valid"
PEPFORMS = Path(sys.executable).with_name("pepforms")
SAMPLES = sorted(path.stem for path in VALID.glob("*.json"))
QUILL, INDY, OTTI, BASIL, MAX = (
    "year-8-confidential-placement", "year-10-dual-roll", "year-5-review", "year-3-draft", "neet-17",
)  # fmt: skip


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    yield wiring
    wiring.converter.close()


def sample(name: str) -> Any:
    return json.loads((VALID / f"{name}.json").read_text(encoding="utf-8"))


def unsigned(name: str) -> Any:
    return sample(name) | {"sign_offs": []}


def filled(pep: Pep, form: str, audience: Audience, wiring: Wiring, **more: Any) -> Any:
    made = pipeline.render(pep, wiring.form(form), audience, "docx", wiring, **more)
    return docx.Document(io.BytesIO(made.data))


def told(pep: Pep, form: str, audience: Audience, wiring: Wiring, **more: Any) -> str:
    """What a document says, a paragraph or cell a line; its headers and footers are the letterhead's."""
    return "\n".join(lines(filled(pep, form, audience, wiring, **more)))


def lines(document: Any) -> list[str]:
    return [Paragraph(one, document).text for one in document.element.body.iter(qn("w:p"))]


def rows(document: Any, caption: str) -> list[list[str]]:
    """The rows of the table that begins with a heading, a text a cell that Word shows."""
    table = next(table for table in document.tables if table.rows[0].cells[0].text == caption)
    return [[cell.text for cell in row.cells] for row in table.rows]


def run(*arguments: object, home: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "PEPFORMS_HOME": str(home)}
    return subprocess.run(
        [PEPFORMS, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=240
    )


# --- Pupil Premium Plus statement ------------------------------------------------------------------------------------

COST = 5
"""The column of a statement's costs."""


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("audience", ["authority", "school"])
def test_a_statement_adds_up_to_the_penny(name: str, audience: Audience, wiring: Wiring) -> None:
    pep = sample(name)
    grant, since = pep["pupil_premium_plus"], pep.get("follow_up", {})
    document = filled(pep, "pp-plus-statement", audience, wiring)
    money = {row[0]: row[1] for row in rows(document, "What")}
    planned = sum((Decimal(line["cost"]) for line in grant["lines"]), Decimal())
    approved = [*grant.get("approvals", ()), *since.get("approvals", ())]
    remaining = Decimal(grant["allocation"]) + sum(Decimal(one["amount"]) for one in approved) - planned
    assert money["Planned in this PEP"] == words.money(str(planned))
    assert money["Remaining"] == words.money(str(remaining))
    by_target = {
        row[0].removeprefix("For "): row[COST] for row in rows(document, "Target") if row[0].startswith("For ")
    }
    for target in {line["target_id"] for line in grant["lines"]}:
        costs = (Decimal(line["cost"]) for line in grant["lines"] if line["target_id"] == target)
        assert by_target.pop(target) == words.money(str(sum(costs, Decimal())))
    assert by_target == {}
    all_together = rows(document, "Target")[-1]
    assert (all_together[0], all_together[COST]) == ("All together", words.money(str(planned)))


@pytest.mark.parametrize("audience", ["authority", "school"])
def test_every_line_stands_with_its_target_and_what_was_spent_on_it_since(audience: Audience, wiring: Wiring) -> None:
    table = rows(filled(sample(INDY), "pp-plus-statement", audience, wiring), "Target")
    assert [row[0] for row in table[1:]] == [
        "T1: Indy is in school or at The Workshop every day", "For T1", "T2: Grade 3 secure", "For T2",
        "T3: Has a week’s experience at a depot", "For T3", "All together",
    ]  # fmt: skip
    assert table[3] == [
        "T2: Grade 3 secure",
        "Mathematics at The Workshop\nOne-to-one tuition\nBy The Workshop",
        "Grade 3 by January",
        "Autumn term",
        "12 × £37.50",
        "£450.00",
        "£225.00",
        "36 of 80 in the December paper, from 31\n£225.00 on 18 December 2026, reported by Dev Conceptual",
    ]
    assert table[5][-2:] == ["Nothing yet", "Not yet reported"]
    assert table[-1][-3:] == ["£898.99", "£554.00", ""]


def test_every_approval_says_by_whom_and_when(wiring: Wiring) -> None:
    table = rows(filled(sample(INDY), "pp-plus-statement", "authority", wiring), "What")
    by, reason = "By Perpetua Mockleigh (Virtual School Head) on", "Keeps a Year 10 pupil at their school"
    assert table[2][:2] == ["More approved", "£450.00"]
    assert table[2][2].startswith(f"{by} 11 November 2026\n{reason}")
    assert table[3] == [
        "More approved since the sign-off", "£60.50", f"{by} 2 December 2026\nA second day of induction at the depot",
    ]  # fmt: skip


def test_the_schools_statement_holds_nothing_that_is_the_authoritys(wiring: Wiring) -> None:
    for name in (OTTI, QUILL, "college-esol"):
        pep = sample(name)
        full, school = (told(pep, "pp-plus-statement", reader, wiring) for reader in ("authority", "school"))
        grant = pep["pupil_premium_plus"]
        secrets = [words.money(amount) for amount in grant.get("allocation_basis", {}).values()]
        secrets += [one["source"] for one in grant.get("other_funding", ())]
        assert secrets
        assert [secret for secret in secrets if secret not in full] == []
        assert "for the year" not in school
        assert [line["item"] for line in grant["lines"] if line["item"] not in school] == []


def test_the_last_peps_money_stands_with_what_it_changed(wiring: Wiring) -> None:
    table = rows(filled(sample(QUILL), "pp-plus-statement", "school", wiring), "Item")
    assert table[1] == [
        "One-to-one reading tuition, 10 hours", "£350.00", "£315.00", "9 of 10 sessions held; reading age up 5 months",
    ]  # fmt: skip
    pep = sample(QUILL)
    pep["previous_spend"] += [{"line_id": "L2", "item": "Boots", "cost": "20.05", "spent": "19.99", "impact": "Dry"}]
    assert rows(filled(pep, "pp-plus-statement", "school", wiring), "Item")[-1][:3] == [
        "All together", "£370.05", "£334.99",
    ]  # fmt: skip


def test_a_line_without_a_target_is_not_lost(wiring: Wiring) -> None:
    pep = unsigned("year-9-dual-roll")
    del pep["pupil_premium_plus"]["lines"][1]["target_id"]
    table = rows(filled(pep, "pp-plus-statement", "school", wiring), "Target")
    assert table[-2][:2] == [
        "No target: say which before sign-off", "Ear defenders\nSocial and emotional learning",
    ]  # fmt: skip
    assert table[-1] == ["All together", "", "", "", "", "£347.50", "Nothing yet", ""]
    del pep["targets"]
    assert [row[COST] for row in rows(filled(pep, "pp-plus-statement", "school", wiring), "Target")] == [
        "Cost", "£360.00", "£42.50", "−£55.00", "£347.50",
    ]  # fmt: skip


def test_a_statement_of_a_pep_without_the_grant_says_so(wiring: Wiring) -> None:
    pep = unsigned(OTTI)
    del pep["pupil_premium_plus"]
    said = told(pep, "pp-plus-statement", "school", wiring)
    assert "This PEP plans no Pupil Premium Plus: not yet recorded." in said
    assert "£" not in said


# --- invitation ------------------------------------------------------------------------------------------------------


def test_an_invitation_says_when_where_who_and_what_about(wiring: Wiring) -> None:
    said = told(sample(BASIL), "meeting-invitation", "school", wiring)
    assert "Thursday 19 November 2026, at 13:30" in said
    assert "Pretend Lane Primary School" in said
    for guest in ("Basil", "Harriet Bogusworth (Designated teacher)", "Tunde Draftwell (Parent)"):
        assert f"\n{guest}\n" in said
    places = [said.index(f"\n{thing}\n") for thing in wiring.profile.agenda]
    assert places == sorted(places)
    assert len(places) == 9
    assert "Sasha Mockworth, Virtual School Officer, 020 7946 0101, sasha.mockworth@example.org" in said


def test_an_invitation_says_with_the_authoritys_letters_what_is_to_be_ready_and_by_when(tmp_path: Path) -> None:
    asked = {}
    for name in ("hillingdon", "example-shire"):
        wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path), "PEPFORMS_PROFILE": name}))
        asked[name] = dict(rows(filled(sample(BASIL), "meeting-invitation", "carer", wiring), "Who"))
    assert asked["hillingdon"]["Social worker"].startswith("Section A (The child or young person, Care information)")
    assert asked["hillingdon"]["Designated teacher"] == "Education"
    assert asked["example-shire"]["Social worker"].startswith("Section B (")
    assert asked["example-shire"]["Social worker"].endswith(", by Thursday 12 November 2026")
    assert asked["example-shire"]["Designated teacher"].startswith("Section C (Education)")


def test_once_a_pep_is_signed_off_the_invitation_is_to_the_next_meeting(wiring: Wiring) -> None:
    for audience in ("authority", "school", "carer", "child"):
        said = told(sample(OTTI), "meeting-invitation", audience, wiring)
        assert "Tuesday 16 February 2027" in said
        for past in ("10 November", "09:30", "the library"):
            assert past not in said, audience


@pytest.mark.parametrize("audience", ["authority", "school", "carer", "child"])
def test_after_the_last_meeting_there_is_nothing_to_invite_to(audience: Audience, wiring: Wiring) -> None:
    with pytest.raises(Refused, match="says that it is the last") as refused:
        told(sample("year-11-leaver"), "meeting-invitation", audience, wiring)
    assert refused.value.slug == "no-meeting-to-come"
    assert "27 November" not in str(refused.value)
    assert "You are invited" in told(unsigned("year-11-leaver"), "meeting-invitation", "school", wiring)


def test_a_day_that_is_not_known_is_not_said_twice(wiring: Wiring) -> None:
    pep = sample(OTTI)
    pep["meeting"]["next_date"] = {"unknown": "The school is still to be named"}
    said = told(pep, "meeting-invitation", "school", wiring)
    assert "The day is not yet known (The school is still to be named). We write again." in said


def test_a_parent_of_a_child_whose_home_is_hidden_learns_the_day_and_no_place_time_or_name(wiring: Wiring) -> None:
    pep = unsigned(QUILL)
    mum = next(guest for guest in pep["meeting"]["attendees"] if guest["person"] == "mum")
    mum["invited"] = True
    said = told(pep, "meeting-invitation", "parent", wiring, person="mum")
    assert "Dear Lee Testchild," in said
    assert "Tuesday 17 November 2026\n" in said
    assert "That is agreed with you before the day" in said
    hidden = {person["name"] for person in pep["people"] if person["id"] in ("dt", "tutor", "ed", "ama", "iro")}
    assert [word for word in (*hidden, "14:00", "Mockford", "Where") if word in said] == []
    assert "\nThe school\n" in said
    assert "\nYou\n" in said


def test_a_parent_who_is_not_to_come_is_not_invited(wiring: Wiring) -> None:
    said = told(sample(QUILL), "meeting-invitation", "parent", wiring, person="mum")
    assert "You are not asked to come to it, and what you think matters all the same" in said
    assert "invited" not in said.lower().replace("invitation", "")
    assert "Dana Mockley, 020 7946 0122" in said


def test_a_childs_invitation_is_in_plain_words(wiring: Wiring) -> None:
    for name in SAMPLES:
        pep = unsigned(name) if name == "year-11-leaver" else sample(name)
        said = told(pep, "meeting-invitation", "child", wiring)
        assert f"Hello {sample(name)['child']['preferred_name']}," in said
        assert ("You choose" in said) == (name != "nursery-adoption")
        for jargon in ("Section", "Pupil Premium", "agenda", "Designated", "stakeholder", "attend"):
            assert jargon not in said, name


def test_a_child_who_is_not_asked_to_come_is_not_invited(wiring: Wiring) -> None:
    said = told(sample("nursery-adoption"), "meeting-invitation", "child", wiring)
    assert "A meeting about how you learn is on Wednesday 3 February 2027. You do not have to come to it" in said
    assert "If you have a question" in said
    assert "invited" not in said
    assert "If you do not want to come" not in said


def test_a_child_is_told_by_name_who_comes_and_what_each_does(wiring: Wiring) -> None:
    said = told(sample(QUILL), "meeting-invitation", "child", wiring).splitlines()
    assert {"Ama Invented, who helps you at home", "You"} <= {*said}
    assert {"Dana Mockley, your social worker", "Morgan O’Sample, who looks out for you at school"} <= {*said}
    said = told(sample("unaccompanied-16-tigrinya"), "meeting-invitation", "child", wiring).splitlines()
    assert "Interpreter" in said
    assert "Social worker" in said  # who stood in for his
    assert "Somebody else" not in said
    assert not [line for line in said if "Independent Reviewing" in line]


@pytest.mark.parametrize("name", SAMPLES)
def test_nobody_is_asked_to_bring_the_words_of_a_carer_whom_the_child_does_not_have(name: str, wiring: Wiring) -> None:
    said = told(unsigned(name), "meeting-invitation", "school", wiring)
    assert ("What the carer says" in said) == any(person["role"] == "carer" for person in sample(name)["people"])


def test_a_parent_is_not_told_that_somebody_may_come_in_their_place(wiring: Wiring) -> None:
    said = told(sample(BASIL), "meeting-invitation", "parent", wiring, person="dad")
    assert "another day may be found, or your words are brought to the meeting" in said
    assert "in your place" not in said


def test_nobody_but_the_authority_learns_from_an_invitation_that_a_child_is_in_custody(wiring: Wiring) -> None:
    pep = sample("year-11-remand")
    assert "Education manager" in told(pep, "meeting-invitation", "authority", wiring)
    for audience in ("school", "child"):
        said = told(pep, "meeting-invitation", audience, wiring)
        assert not re.search("custody|remand|Education manager|YOI", said, re.IGNORECASE), audience


# --- feedback --------------------------------------------------------------------------------------------------------


def test_feedback_says_the_grade_the_reasons_and_who_gave_them(wiring: Wiring) -> None:
    document = filled(sample(INDY), "qa-feedback", "authority", wiring)
    said = "\n".join(lines(document))
    assert "Grade\tGood" in said
    assert "Recorded by\tSasha Mockworth (Virtual School Officer)" in said
    assert "Reviewed by\tPerpetua Mockleigh (Virtual School Head), who did not record it" in said
    assert "Next time: one measure for each thing bought." in said
    assert "Read again with two others of the term" in said
    graded = rows(document, "Criterion")
    assert graded[2] == ["Targets are specific and can be measured", "Met in full", "No note"]
    assert graded[3][1] == "Met in part"
    assert "at the meeting on Wednesday 10 February 2027" in said


def test_a_pep_that_nobody_reviewed_is_told_so_kindly(wiring: Wiring) -> None:
    said = told(sample(OTTI), "qa-feedback", "authority", wiring)
    assert "Nobody has reviewed this PEP so far, so there is no grade and no feedback: that is no judgement" in said
    assert "Reviewed by" not in said


def test_feedback_is_for_the_authority_alone_and_on_no_unfinished_pep(wiring: Wiring, tmp_path: Path) -> None:
    form = wiring.form("qa-feedback")
    assert form.audiences == ("authority",)
    pep = sample(BASIL)
    del pep["targets"][0]["baseline"]
    with pytest.raises(Refused, match="to put right"):
        pipeline.checked(json.dumps(pep).encode(), form.stage, wiring.profile)


# --- the pack for a new school ---------------------------------------------------------------------------------------


def earlier(name: str = OTTI, **head: Any) -> Any:
    """A PEP of the same child, of the summer before: a draft, as nobody signed it off here."""
    pep = unsigned(name)
    pep["pep"] |= {"id": "PEP-S26", "academic_year": "2025/26", "term": "summer"} | head
    pep["meeting"]["date"] = "2026-06-09"
    return pep


def packed(peps: list[Any], wiring: Wiring) -> list[pipeline.Document]:
    return pipeline.pack(peps, wiring.form("school-move-pack"), wiring.form("pep"), "school", wiring)


def said_by(document: pipeline.Document) -> str:
    return " ".join(" ".join(pdf_text.seen(document.data)).split())


def test_a_pack_is_a_cover_and_the_schools_copies_the_newest_first(wiring: Wiring) -> None:
    documents = packed([earlier(), sample(OTTI)], wiring)
    assert [document.name for document in documents] == [
        "900005_school-move-pack_school_2026-27_AUT_v1.pdf",
        "900005_pep_school_2026-27_AUT_v1.pdf",
        "900005_pep_school_2025-26_SUM_v1.pdf",
    ]
    cover = said_by(documents[0])
    order = ["May collect: Bilal Notareal", "Ottoline Renée Mockington-Sample", "U312999916005", "autumn term 2026/27"]
    order += ["10 November 2026 Signed off", "summer term 2025/26", "9 June 2026 Draft", "What to do first"]
    order += [
        "SEN support, Hearing impairment",
        "Targets in force",
        "Knows all tables",
        "Social worker Ines Fauxley",
        "Harriet Bogus",
    ]
    places = [cover.index(words) for words in order]
    assert places == sorted(places)
    assert "900005" not in cover  # the authority's number
    assert "Draft: not signed off" in said_by(documents[2])
    assert "Draft: not signed off" not in said_by(documents[1])


def test_a_cover_says_what_an_ehc_plan_asks_and_who_comes_next(wiring: Wiring) -> None:
    said = told(sample("year-6-ehc-plan-wales"), "school-move-pack", "school", wiring)
    assert "Seren has an EHC plan, maintained by Hillingdon. Ask Petra Paperwork for it" in said
    assert "its next annual review is due by 24 February 2027" in said
    assert "Ysgol Uwchradd Ffug, if named, from 1 September 2027" in said


def test_nobody_asks_for_a_plan_of_support_where_there_is_no_need_of_one(wiring: Wiring) -> None:
    assert "plan of support" not in told(sample("reception-at-home"), "school-move-pack", "school", wiring)
    assert "plan of support" in told(sample(OTTI), "school-move-pack", "school", wiring)


def test_where_nobody_said_who_may_collect_the_cover_says_whom_to_ask(wiring: Wiring) -> None:
    pep = sample("unaccompanied-16-tigrinya")
    del pep["care"]["collection"]
    said = told(pep, "school-move-pack", "school", wiring)
    assert "Nobody has said yet who may collect Testi, and who must not be told." in said
    assert "Mo Imagineer, 020 7946 0127" in said
    assert "May collect" not in said


def test_of_two_versions_the_last_is_in_the_pack_whatever_the_day_of_its_meeting(wiring: Wiring) -> None:
    corrected = earlier(MAX, version=2)
    corrected["meeting"]["date"] = "2026-06-08"
    cover, copy = packed([corrected, earlier(MAX)], wiring)
    assert copy.name == "900018_pep_school_2025-26_SUM_v2.pdf"
    assert "8 June 2026 Draft" in said_by(cover)


def test_two_files_of_one_version_that_differ_make_no_pack(wiring: Wiring) -> None:
    other = earlier(MAX)
    other["targets"][0]["target"] = "Something else"
    with pytest.raises(Refused, match="PEP-S26, version 1, differ") as refused:
        packed([earlier(MAX), other], wiring)
    assert refused.value.slug == "which-is-it"
    assert len(packed([earlier(MAX), earlier(MAX)], wiring)) == 2


def test_two_peps_of_one_term_are_both_in_the_pack(wiring: Wiring) -> None:
    initial = unsigned(MAX)
    initial["pep"] |= {"id": "PEP-0004-A26", "type": "initial"}
    initial["meeting"]["date"] = "2026-09-22"
    assert [document.name for document in packed([initial, sample(MAX)], wiring)] == [
        "900018_school-move-pack_school_2026-27_AUT_v1.pdf",
        "900018_pep_school_2026-27_AUT_v1_PEP-0018-A26.pdf",
        "900018_pep_school_2026-27_AUT_v1_PEP-0004-A26.pdf",
    ]


def test_every_child_of_a_folder_has_a_pack_of_their_own_and_one_broken_pep_stops_all(tmp_path: Path) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    for name, pep in {"a": earlier(), "b": sample(OTTI), "c": sample(MAX)}.items():
        (given / f"{name}.json").write_text(json.dumps(pep))
    (given / "broken.json").write_text("{")
    arguments = ("render", given, "--form", "school-move-pack", "--audience", "school", "--out", out)
    stopped = run(*arguments, home=tmp_path)
    assert stopped.returncode == 65
    assert "No pack was made" in stopped.stderr
    assert not list(out.glob("*"))
    (given / "broken.json").unlink()
    made = run(*arguments, home=tmp_path)
    assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "900005_pep_school_2025-26_SUM_v1.pdf",
        "900005_pep_school_2026-27_AUT_v1.pdf",
        "900005_school-move-pack_school_2026-27_AUT_v1.pdf",
        "900018_pep_school_2026-27_AUT_v1.pdf",
        "900018_school-move-pack_school_2026-27_AUT_v1.pdf",
    ]


# --- the list of forms -----------------------------------------------------------------------------------------------


def test_forms_are_listed_in_the_authoritys_order_by_the_authoritys_names(tmp_path: Path) -> None:
    hillingdon = run("template", "list", home=tmp_path).stdout.splitlines()
    named = [line.split()[0] for line in hillingdon]
    known = [name for name in profile.load("hillingdon").documents if name in named]
    assert named[: len(known)] == known
    assert any("Invitation to a PEP meeting" in line for line in hillingdon)
    shire = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path), "PEPFORMS_PROFILE": "example-shire"}))
    first = next(iter(shire.forms().values()))
    assert (first.name, pipeline.called(first, shire.profile)) == ("pep", "My Learning Plan")
    assert len(shire.forms()) == len(hillingdon)
