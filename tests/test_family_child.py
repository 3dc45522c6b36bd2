"""My plan, the child's own document: their words first, in plain English, and nothing that is not theirs to read."""

import copy
import io
import itertools
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Pt
from lxml import etree

from pepforms import forms, pipeline, schema, settings
from pepforms.audience import case, cut
from pepforms.errors import Refused
from pepforms.fill import plain
from pepforms.fill.scopes import Reader
from pepforms.fill.tags import survey
from pepforms.model import Audience, Pep
from pepforms.resources import folder
from pepforms.schema import Field
from pepforms.text import pdf
from pepforms.wiring import Wiring

FORM = forms.named("my-plan")
VALID = folder("samples") / "valid"
SAMPLES: dict[str, Pep] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(VALID.glob("*.json"))
}
BARE: Pep = {
    "schema_version": "1",
    "pep": {
        "id": "PEP-9", "version": 1, "academic_year": "2026/27", "term": "autumn", "type": "initial",
        "phase": "secondary", "provision_state": "on_roll",
    },
    "child": {},
}  # fmt: skip
"""As little as a draft can be."""

UNFINISHED = BARE | {
    "targets": [{"id": "T1"}],
    "pupil_premium_plus": {"lines": [{"id": "L1"}]},
    "people": [{"id": "c", "role": "child", "name": "Quill"}],
    "actions": [{"id": "A1", "owner": "c"}],
    "education": {"settings": {"unknown": "Moved yesterday"}, "needs": {"strengths": [], "interventions": []}},
    "transition": {},
    "meeting": {"next_date": {"unknown": "Nobody knows"}},
}
DRAFTS = {**SAMPLES, "bare": BARE, "unfinished": UNFINISHED}

DOCS = Path(__file__).parent.parent / "docs" / "copies.md"


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Wiring:
    return Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))


def made(pep: Pep, wiring: Wiring) -> Any:
    """My plan of a PEP, as Word opens it."""
    return docx.Document(io.BytesIO(pipeline.render(pep, FORM, "child", "docx", wiring).data))


@pytest.fixture(scope="module")
def plans(wiring: Wiring) -> dict[str, Any]:
    """My plan of every sample and draft, as Word opens it."""
    return {name: made(pep, wiring) for name, pep in DRAFTS.items()}


def lines(word: Any) -> list[str]:
    return [paragraph.text for paragraph in word.paragraphs]


def changed(pep: Pep, **sections: Any) -> Pep:
    return copy.deepcopy(pep) | sections


def test_my_plan_is_for_the_child_alone(wiring: Wiring) -> None:
    assert FORM.audiences == ("child",)
    with pytest.raises(Refused, match="not made for"):
        FORM.offered("carer")


# whose words it holds


@pytest.mark.parametrize("name", SAMPLES)
def test_what_the_child_said_comes_first_and_as_it_was_said(name: str, plans: dict[str, Any]) -> None:
    said, found = SAMPLES[name]["views"]["child"], lines(plans[name])
    first = found.index("What I said") + 1
    if "words" in said:
        assert "\n".join(found[first:]).startswith(f"{said['words']}\n")
    else:
        assert found[first].startswith("I have not told anybody yet. I still can.")
    assert {said[part] for part in ("aspirations", "worries", "what_helps", "interests") if part in said} <= {*found}
    assert found.index("What I said") < found.index("What I am working on")


def test_each_target_says_how_people_help_whom_to_ask_and_when_it_is_looked_at_again(plans: dict[str, Any]) -> None:
    found = lines(plans["year-5-review"])
    at = found.index("2. Knows all tables to 12 × 12")
    assert found[at + 1 : at + 4] == [
        "How people help: Tuition once a week; the tablet game ten minutes a day",
        "Who I can ask: Harriet Bogusworth",
        "When we look at it again: 12 February 2027",
    ]


def test_a_target_that_is_the_childs_own_or_not_agreed_says_so(wiring: Wiring) -> None:
    pep = changed(SAMPLES["year-5-review"])
    pep["targets"][0] |= {"owner": "otti", "agreed_by_child": False}
    found = lines(made(pep, wiring))
    assert found.count("I look after this one myself.") == 1
    assert found.count("I have not said yes to this yet. I can say what I think of it.") == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nursery-adoption", ["I am Junie", "I go to Acorns-in-the-Air Nursery.", "Wil Mythen helps me learn"]),
        ("neet-17", ["I am not at school, college or work now. People can help me find what is right for me."]),
        ("unaccompanied-16-tigrinya", ["I do not have a place at a school or college yet. People are working on it."]),
        ("year-9-dual-roll", ["I go to Paper Lane School.", "I also go to Pretend Farm School."]),
        ("year-11-remand", ["There is no day for it yet. I can ask for a meeting.", "Ada Strawman helps me learn"]),
        ("year-11-leaver", ["What I did since my last plan", "Apply for sixth form, by 18 December 2026"]),
        ("year-5-review", ["The words for me are she/her.", "Bilal Notareal, who helps me at home"]),
    ],
)  # fmt: skip
def test_it_speaks_of_this_child(name: str, says: list[str], plans: dict[str, Any]) -> None:
    assert {*says} <= {*lines(plans[name])}


def test_what_a_child_has_drawn_is_drawn_with_words_for_who_cannot_see_it(plans: dict[str, Any]) -> None:
    word = plans["year-5-review"]
    (picture,) = SAMPLES["year-5-review"]["views"]["child"]["pictures"]
    assert [one.get("descr") for one in word.element.body.iter(qn("wp:docPr"))] == [picture["description"]]


def test_every_page_of_a_draft_says_that_it_is_not_signed_off_in_tigrinya_too(wiring: Wiring) -> None:
    pep = changed(SAMPLES["unaccompanied-16-tigrinya"], sign_offs=[])
    data = pipeline.render(pep, FORM, "child", "pdf", wiring).data
    pages = pdf.seen(data)
    assert len(pages) > 1
    assert all("Draft: not signed off" in page for page in pages)
    assert pep["views"]["child"]["words"].split()[0] in "".join(pdf.read(data).pages[0].said)


def test_it_speaks_as_the_child_throughout() -> None:
    said = "\n".join(lines(docx.Document(str(FORM.template))))
    assert re.findall(r"\b[Yy]ou(?:r|rs|rself)?\b", said) == []


def test_after_the_last_meeting_nobody_is_told_to_ask_for_one(plans: dict[str, Any], wiring: Wiring) -> None:
    found = lines(plans["year-11-leaver"])
    assert "There is no day for it yet. I can ask for a meeting." not in found
    assert [
        line for line in found if line.startswith("This was the last meeting for my plan. I can still ask for help")
    ]
    unknown = changed(SAMPLES["year-11-leaver"])
    unknown["meeting"]["next_date"], unknown["distribution"] = {"unknown": "The school is asked"}, []
    unknown["transition"]["planned_changes"] = "Sixth form in September"
    assert "There is no day for it yet. I can ask for a meeting." in lines(made(unknown, wiring))


# what it does not hold


def everything(word: Any) -> str:
    """All that it says, in headers and footers too."""
    parts = [part for part in word.part.package.iter_parts() if "wordprocessingml" in part.content_type]
    trees = [parse_xml(part.blob) for part in parts if re.search("document|header|footer", str(part.partname))]
    return "\n".join("".join(text.itertext()) for tree in trees for text in tree.iter(qn("w:p")))


@pytest.mark.parametrize("name", SAMPLES)
def test_it_holds_no_costs_numbers_or_ways_to_reach_people(name: str, wiring: Wiring) -> None:
    pep = SAMPLES[name]
    found = everything(made(pep, wiring))
    people = [person.get(part) for person in pep["people"] for part in ("phone", "email")]
    child = [pep["child"].get(part) for part in ("lcs_person_id", "upn", "uln", "date_of_birth")]
    legal = " ".join(pep["child"]["legal_name"].values())
    assert not [secret for secret in (legal, *people, *child) if isinstance(secret, str) and secret in found]
    assert "£" not in found
    assert pep["child"]["preferred_name"] in found


@pytest.mark.parametrize("name", SAMPLES)
def test_it_holds_the_childs_own_actions_and_nobody_elses(name: str, wiring: Wiring) -> None:
    pep = SAMPLES[name]
    found = everything(made(pep, wiring))
    (child,) = [person["id"] for person in pep["people"] if person["role"] == "child"]
    for action in pep.get("actions", ()):
        assert (action["action"] in found) == (action["owner"] == child)


UNTOLD = (
    "/education/attainment", "/education/attendance", "/education/behaviour", "/targets/*/success_measure",
    "/targets/*/id", "/targets/*/baseline", "/pupil_premium_plus/lines/*/cost", "/pupil_premium_plus/lines/*/rate",
    "/pupil_premium_plus/allocation", "/child/legal_name", "/child/lcs_person_id", "/people/*/phone", "/people/*/id",
)  # fmt: skip
"""Grades, ratings, costs and codes."""


def test_its_template_names_no_grade_rating_cost_or_code() -> None:
    told = Reader(("authority",))
    with zipfile.ZipFile(FORM.template) as package:
        tags, _ = survey("text", etree.fromstring(package.read("word/document.xml")))
    assert not [*told.faults(tags)]
    assert "/targets/*/strategy" in told.told
    assert not [field for field in told.told for untold in UNTOLD if field.startswith(untold)]


SAID_BY_THE_SYSTEM = (
    "Not yet recorded", "Nothing to record", "Not known", "Not asked at this age", "Does not apply", "not in this PEP",
)  # fmt: skip


@pytest.mark.parametrize("name", DRAFTS)
def test_what_is_not_there_is_a_kind_sentence_or_nothing(name: str, plans: dict[str, Any]) -> None:
    word = plans[name]
    found = everything(word)
    assert not [said for said in SAID_BY_THE_SYSTEM if said in found]
    styles = [str(paragraph.style.name) for paragraph in word.paragraphs]
    assert not [pair for pair in itertools.pairwise(styles) if pair == ("Plan heading", "Plan heading")]
    assert not styles[-1].endswith("heading")


# how it is said


def neutral(value: Any, field: Field, name: str = "") -> Any:
    """The same PEP in which nobody has written anything but a name."""
    if isinstance(value, dict):
        known = field.fields
        return {key: neutral(part, known[key], key) if key in known else part for key, part in value.items()}
    if isinstance(value, list) and field.items:
        return [neutral(entry, field.items) for entry in value]
    ours = field.format or field.codes or field.labels or field.person or name in ("id", "academic_year", "data")
    return "Sam" if isinstance(value, str) and not ours else value


def own_words(name: str, wiring: Wiring) -> list[str]:
    """What My plan of a sample says by itself."""
    nothing_decided = SAMPLES[name] | {"distribution": []}
    pep = cut(neutral(nothing_decided, schema.load().root), case.Reader("child"))
    told = pipeline.told(pep.pep, FORM, "child", wiring.profile)
    return lines(docx.Document(io.BytesIO(wiring.template(FORM).fill(pep.pep, told, pep.fields))))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_reader_of_nine_can_read_what_it_says_by_itself(name: str, wiring: Wiring) -> None:
    said = own_words(name, wiring)
    age = plain.reading_age(said)
    assert age is not None
    assert 4 < age <= plain.oldest() == 9
    assert [found for line in said for group in ("child", "never") for found in plain.avoided(line, group)] == []


def test_the_measured_figures_stand_in_the_documentation(wiring: Wiring) -> None:
    age = plain.reading_age(lines(docx.Document(str(FORM.template))))
    filled = max(plain.reading_age(own_words(name, wiring)) or 0 for name in SAMPLES)
    told = f"a reader of **{age:.1f} years**, as filled with the samples of at most **{filled:.1f}**"
    assert told in " ".join(DOCS.read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("cat", 1), ("home", 1), ("asked", 1), ("told", 1), ("wanted", 2), ("people", 2), ("pages", 2), ("family", 3)],
)
def test_syllables_are_counted_as_they_are_spoken(word: str, syllables: int) -> None:
    assert plain.syllables(word) == syllables


def test_longer_sentences_and_longer_words_ask_for_older_readers() -> None:
    texts = (
        "I like cats. " * 30,
        "I like cats and dogs and mice and hens. " * 10,
        "Everybody appreciates animals. " * 20,
    )
    ages = [plain.reading_age([text]) for text in texts]
    assert ages == sorted(ages, key=lambda age: age or 0)
    assert plain.reading_age(["Too few words."]) is None


def test_its_words_are_large_and_its_styles_its_own(plans: dict[str, Any]) -> None:
    word = plans["year-8-confidential-placement"]
    used = {paragraph.style.name for paragraph in word.paragraphs if paragraph.text.strip()}
    own = {name for name in used if name.startswith(("Plan ", "My "))}
    assert used - own <= {"Title", "Subtitle", "Letterhead"}
    assert own == {"Plan heading", "Plan subheading", "Plan text", "Plan note", "Plan list", "My name", "My words"}
    assert all(word.styles[name].font.size >= Pt(14) for name in own)


# the child's and the carer's copy of the PEP


def pep_copy(name: str, reader: Audience, wiring: Wiring) -> list[str]:
    """What a reader's copy of the PEP says, cell by cell."""
    word = docx.Document(io.BytesIO(pipeline.render(SAMPLES[name], forms.named("pep"), reader, "docx", wiring).data))
    return ["".join(text.text or "" for text in line.iter(qn("w:t"))) for line in word.element.body.iter(qn("w:p"))]


def test_the_childs_copy_names_subjects_in_a_line_and_the_child_without_a_role(wiring: Wiring) -> None:
    said = pep_copy("year-8-confidential-placement", "child", wiring)
    assert "SubjectsEnglish, Mathematics, Science, Design technology and French" in said
    assert "Scale" not in said
    assert "Quill" in said
    assert "Quill (Child or young person)" not in said


def test_what_was_not_said_is_not_told_in_rows_of_nothing_but_in_the_full_copy(wiring: Wiring) -> None:
    for reader in ("child", "carer"):
        said = pep_copy("year-11-remand", reader, wiring)
        assert any(line.startswith("I did not give my views this time.") for line in said)
        assert not [line for line in said if line.startswith(("What worries me", "Next school", "How they help"))]
    assert "What worries meNothing to record" in pep_copy("year-11-remand", "authority", wiring)


def test_the_carers_copy_says_of_what_strategies_are_and_for_whom_somebody_stands_in(wiring: Wiring) -> None:
    strategies = SAMPLES["year-8-confidential-placement"]["care"]["sdq"]["strategies"]
    assert f"Strategies from the SDQ{strategies}" in pep_copy("year-8-confidential-placement", "carer", wiring)
    assert "Other, covers Social worker" in pep_copy("unaccompanied-16-tigrinya", "carer", wiring)


@pytest.mark.parametrize("reader", ["child", "carer"])
def test_no_copy_ends_with_an_empty_page(reader: Audience, wiring: Wiring) -> None:
    data = pipeline.render(SAMPLES["year-5-review"], forms.named("pep"), reader, "pdf", wiring).data
    assert all("".join(page.said).strip() for page in pdf.read(data).pages)
