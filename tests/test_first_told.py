"""What a child should hear from somebody before they read it: such words hold the child's copy, and no other."""

import copy
import json
from typing import Any

import pytest

from pepforms import forms, pipeline, settings
from pepforms.batches import holds
from pepforms.errors import Refused
from pepforms.fill import plain
from pepforms.model import Audience, Pep
from pepforms.resources import folder
from pepforms.wiring import Wiring

VALID = folder("samples") / "valid"
OTTI: Pep = json.loads((VALID / "year-5-review.json").read_text(encoding="utf-8"))
PLACE = "/transition/planned_changes"


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Wiring:
    return Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))


def news(words: str, *decisions: dict[str, Any], own: str = "I like maths.") -> Pep:
    """A PEP whose planned changes say something, with what was decided about that."""
    pep: Any = copy.deepcopy(OTTI)
    pep["transition"]["planned_changes"], pep["views"]["child"]["words"] = words, own
    return pep | {"distribution": [{"recipient": "Otti", "audience": "child", "decisions": [*decisions]}]}


def decided(decision: str, about: str, **more: str) -> dict[str, Any]:
    made = {"pointer": PLACE, "decision": decision, "about": about, "by": "vso", "on": "2026-11-20"}
    return made | {"reason": "Talked over with Otti and her social worker", **more}


def make(pep: Pep, form: str, wiring: Wiring, audience: Audience = "child") -> None:
    pipeline.render(pep, forms.named(form), audience, "docx", wiring)


@pytest.mark.parametrize("form", ["my-plan", "pep"])
def test_what_a_child_should_first_be_told_is_not_first_read_in_a_document(form: str, wiring: Wiring) -> None:
    with pytest.raises(Refused) as refused:
        make(news("The court decides in spring where she lives."), form, wiring)
    (problem,) = refused.value.problems
    assert (refused.value.slug, problem.slug, problem.pointer) == ("first-told", "first-told", PLACE)
    assert "“Moving on: Planned changes”" in problem.message
    assert "under distribution, decisions" in problem.message
    assert "court" not in f"{refused.value} {problem.message}"


def test_only_what_the_document_prints_holds_it(wiring: Wiring) -> None:
    make(news("The court decides in spring where she lives."), "meeting-invitation", wiring)


@pytest.mark.parametrize("audience", ["authority", "school", "carer"])
def test_no_other_readers_copy_is_held_for_it(audience: Audience, wiring: Wiring) -> None:
    make(news("The court decides in spring where she lives."), "pep", wiring, audience)


def test_the_childs_own_words_are_the_childs_own(wiring: Wiring) -> None:
    make(news("Nothing changes.", own="I want to tell the judge that I was adopted."), "my-plan", wiring)


@pytest.mark.parametrize(
    "decision",
    [
        decided("reword", "The court", words="Grown-ups decide in spring, and tell you first."),
        decided("leave_out", "The court"),
        decided("accept", "The court decides in spring where she lives."),
    ],
    ids=lambda each: each["decision"],
)
def test_the_copy_is_made_once_somebody_has_decided_about_the_words(decision: dict[str, Any], wiring: Wiring) -> None:
    make(news("The court decides in spring where she lives.", decision), "my-plan", wiring)


def test_other_words_that_are_no_better_hold_the_copy_again(wiring: Wiring) -> None:
    with pytest.raises(Refused, match="somebody they trust should tell them first"):
        make(news("The court decides.", decided("reword", "The court", words="The judge decides.")), "my-plan", wiring)


@pytest.mark.parametrize("name", sorted(path.stem for path in VALID.glob("*.json")))
def test_every_samples_copies_for_the_child_are_made(name: str, wiring: Wiring) -> None:
    pep = json.loads((VALID / f"{name}.json").read_text(encoding="utf-8"))
    make(pep, "my-plan", wiring)
    make(pep, "pep", wiring)


def test_a_batch_holds_such_a_copy_for_a_person_as_it_holds_a_leak(wiring: Wiring) -> None:
    with pytest.raises(Refused) as refused:
        make(news("Adoption order expected in spring."), "my-plan", wiring)
    waits = holds.of(refused.value)
    assert waits is not None
    assert waits.slug == "first-told"
    assert "“Moving on: Planned changes”" in str(waits)
    assert str(waits).endswith(f"({PLACE})")


@pytest.mark.parametrize(
    "said",
    [
        "Adoption order expected", "The adopters choose", "if released", "Trial in January",
        "the court’s decision", "A CARE  ORDER may end", "a special guardianship order", "Rehabilitation home",
        "the suspension of October", "on remand", "excluded for two days", "two courts", "self harm",
        "selfharm", "care-order", "Child-protection plan", "no-contact", "a managed‑move", "an sgo",
        "the adop\u00adtion", "self\u00ad-\u00adharm", "Dad was jailed in May", "Dad is released in May",
        "before arrest", "Nan passed away", "Her carers have given notice", "28 days' notice",
        "28 days’ notice", "Hearing on 3 May", "the hearing", "Final order in June", "Matching panel in spring",
        "her forever family", "plan for permanence", "raped", "sexually harmed", "assaulted", "murdered",
        "was killed", "expelled", "Goes to trial in May", "Her trial starts", "The judge decides",
        "court order", "It depends on the court", "Dad died", "Trial: 12 January", "There is a trial in May",
        "With convictions since 2019", "No offences since June", "Care proceedings of the council",
        "Outcome of hearing in May", "There will be a judge", "Neglect affects homework",
    ],
)  # fmt: skip
def test_words_are_found_in_every_form(said: str) -> None:
    assert plain.is_first_told(said)


def test_what_is_nobodys_news_hides_nothing_that_stands_beside_it() -> None:
    assert plain.is_first_told("Plays on the top court. The court decides in May.")
    assert plain.is_first_told("The hamster died, and so the adoption waits")


@pytest.mark.parametrize(
    "said",
    [
        "A courteous boy in the courtyard", "Hearing aids, new in June", "Full sentences with capital letters",
        "Industrial history", "Takes care in order to finish", "An exclusive offer", "Teacher assessment",
        "Number box; egg money at home", "Plays netball on the top court at lunch", "Captain on court",
        "Football trials with the county", "Football trials in May", "We trial coloured overlays",
        "A trial lesson", "Wants to be a judge", "The suspension bridge that she built",
        "Feels excluded from games", "Her poem was released in the magazine", "Adopted a polar bear",
        "Results are released in August", "The hamster died", "Neglects her homework",
        "No contact rules in tag rugby", "No-contact rugby", "Rehabilitation exercises for the leg",
        "Proceedings of the school council", "Custody of the class rabbit", "Wrote of suffragettes in prison",
        "Some loss of hearing in her left ear", "An assault course", "Grows rapeseed",
        "Her hearing is reviewed in spring", "Wants to trial coloured overlays", "His trial day at college",
        "The results will be released on 20 August", "Argues with conviction", "Object permanence is secure",
    ],
)  # fmt: skip
def test_ordinary_words_hold_nothing(said: str) -> None:
    assert not plain.is_first_told(said)
