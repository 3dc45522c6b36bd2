"""Whose PEP a PDF is: every way to write a name and a date, and every way to be the wrong child's."""

import datetime as dt

import pytest

from pepforms.intake.cards import Child
from pepforms.intake.whose import Objection, Said, objection

BORN = dt.date(2014, 3, 12)
AVA = Child("LCS-1001", "Ava Testchild", BORN)
BEN = Child("LCS-1002", "Ben Testchild", dt.date(2014, 3, 13))
REST = "The school and the child agreed on this plan at the meeting, and will look at it again in the spring. " * 3


def page(name: str = "Ava Testchild", born: str = "12 March 2014", more: str = "") -> str:
    return f"Personal Education Plan\nName of child: {name}\nDate of birth: {born}\nMock Academy\n{REST}\n{more}"


def judged(child: Child, *pages: str, others: tuple[Child, ...] = (), **more: object) -> Objection | None:
    return objection(child, (child, *others), Said(pages, **more))  # type: ignore[arg-type]


def doubt(found: Objection | None) -> str:
    assert found is not None
    assert found.doubt, found.why
    return found.why


def mismatch(found: Objection | None) -> str:
    assert found is not None
    assert not found.doubt, found.why
    return found.why


@pytest.mark.parametrize(
    ("on_card", "printed"),
    [
        ("Ava Testchild", "Ava Testchild"),
        ("Ava Testchild", "TESTCHILD, Ava"),
        ("Testchild, Ava", "Ava TESTCHILD"),
        ("TESTCHILD Ava", "Ava Testchild"),
        ("Ava Testchild", "Ava Grace Testchild"),
        ("Ava Grace Testchild", "Ava Testchild"),
        ("Ava Grace Testchild", "Ava G. Testchild"),
        ("Testchild, Ava Grace", "Testchild, Ava"),
        ("Ava Testchild", "Ava\nTestchild"),
        ("Ava Testchild", "Family name: Testchild\nFirst name: Ava"),
        ("Ava Testchild", "First name(s): Ava Surname: Testchild"),
        ("Zoë Próbna", "Zoe Probna"),
        ("Zoe Probna", "Zoë PRÓBNA"),
        ("Łucja Øster", "Lucja Oster"),
        ("Séamus O’Testchild", "Seamus O'Testchild"),
        ("Seamus OTestchild", "Séamus O’TESTCHILD"),
        ("Renée Mockington-Sample", "Renee Mockington Sample"),
        ("Renée Mockington-Sample", "MOCKINGTON‑SAMPLE, Renée"),
        ("Christopher (Kit) Placeholder", "Kit Placeholder"),
        ('Christopher "Kit" Placeholder', "Christopher Placeholder"),
        ("Fiona Test", "ﬁona Test"),
        ("Mary-Jane van der Test", "Mary-Jane van der Test"),
        ("Senait", "Senait"),
        ("Christian Test", "Test, Christian"),
        ("Ava Known", "Ava Known"),
        ("ሰናይት ሞክ", "ሰናይት ሞክ"),
    ],
)
def test_a_name_is_found_however_it_is_written(on_card: str, printed: str) -> None:
    assert judged(Child("LCS-1", on_card, BORN), page(printed)) is None


@pytest.mark.parametrize(
    "printed",
    ["12/03/2014", "12/3/14", "12.03.14", "12-03-2014", "2014-03-12", "12 March 2014", "12th March 2014",
     "12th of March, 2014", "12 Mar 14", "12-MAR-2014", "March 12, 2014", "12 / 03 / 2014", "12\nMarch 2014",
     "Wednesday 12 March 2014"],
)  # fmt: skip
def test_a_date_of_birth_is_found_however_it_is_written(printed: str) -> None:
    assert judged(AVA, page(born=printed)) is None


@pytest.mark.parametrize(
    "printed", ["13/03/2014", "03/12/2014", "12/03/2015", "112/03/2014", "12/03/20145", "not known"]
)
def test_another_date_of_birth_is_a_mismatch(printed: str) -> None:
    assert "date of birth" in mismatch(judged(AVA, page(born=printed)))


@pytest.mark.parametrize(
    "printed", ["Ben Testchild", "Ava Other", "Eva Testchild", "Ava", "Avan Testchild", "Ava Rose"]
)
def test_another_name_is_a_mismatch(printed: str) -> None:
    assert "name" in mismatch(judged(AVA, page(printed)))


def test_another_middle_name_is_another_child() -> None:
    assert mismatch(judged(Child("LCS-1", "Ava Grace Testchild", BORN), page("Ava Rose Testchild")))


def test_the_swapped_sibling_born_the_day_after_is_a_mismatch_both_ways() -> None:
    hers, his = page(), page("Ben Testchild", "13 March 2014")
    assert mismatch(judged(AVA, his, others=(BEN,)))
    assert mismatch(judged(BEN, hers, others=(AVA,)))


def test_a_nickname_that_the_card_does_not_know_is_put_right_in_the_card() -> None:
    printed = page("Kit Placeholder")
    assert mismatch(judged(Child("LCS-1", "Christopher Placeholder", BORN), printed))
    assert judged(Child("LCS-1", "Christopher (Kit) Placeholder", BORN), printed) is None


def test_another_child_of_the_list_in_the_text_is_a_doubt() -> None:
    told = page(more="Her brother Ben Testchild came too.")
    assert "another child of the list" in doubt(judged(AVA, told, others=(BEN,)))
    assert judged(AVA, told, others=(Child("LCS-9", "Zed Elsewhere"),)) is None


def test_another_child_of_the_list_in_a_note_or_in_hidden_text_is_a_doubt() -> None:
    assert doubt(judged(AVA, page(), others=(BEN,), unseen="copied from Testchild, Ben"))


def test_two_rows_of_one_child_are_one_child() -> None:
    again = Child(AVA.lcs_person_id, AVA.name, None)
    assert judged(AVA, page(), others=(again,)) is None


def test_a_page_of_another_childs_plan_is_a_doubt_whether_that_child_is_listed_or_not() -> None:
    assert "more than one date of birth" in doubt(judged(AVA, page(), page("Zed Elsewhere", "1 May 2012")))
    merged = page("Zed Elsewhere", "not given here")
    assert "another name" in doubt(judged(AVA, page(), merged))


def test_a_page_without_the_heading_of_the_others_is_a_doubt() -> None:
    own = [f"Ava Testchild: plan of the autumn\n{REST}" for _ in range(4)]
    odd = f"Zed Elsewhere: plan of the autumn\n{REST}"
    assert judged(AVA, page(), *own) is None
    assert "page 4 does not name the child" in doubt(judged(AVA, page(), *own[:2], odd, *own[2:]))
    assert judged(AVA, page(), REST, REST, REST, f"Ava Testchild signs here\n{REST}") is None


def test_the_birth_date_of_a_brother_or_sister_that_the_plan_mentions_is_not_enough() -> None:
    plan = "Personal Education Plan\nPupil Born School\nZed Elsewhere 1 May 2016 Mock Academy\n"
    doubt(judged(AVA, f"{plan}Sister: Ava Testchild, 12 March 2014\n{REST}"))
    assert judged(AVA, f"Pupil School Born\nAva Testchild Mock Academy 12 March 2014\n{REST}") is None


@pytest.mark.parametrize("head", ["Family name: Testchild First name: Bea", "First name: Bea\nSurname: Testchild",
                                  "TESTCHILD, Bea", "Bea Testchild"])  # fmt: skip
def test_a_twin_in_the_fields_of_a_form_is_not_the_child(head: str) -> None:
    doubt(judged(AVA, f"{head}\nDate of birth: 12 March 2014\nTwin: Ava Testchild\n{REST}"))


def test_a_twin_with_the_same_birth_date_is_not_the_child_that_the_plan_mentions() -> None:
    of_the_twin = f"Bea Testchild\nBorn 12 March 2014\nBea has a twin sister, Ava Testchild.\n{REST}"
    assert "family name" in doubt(judged(AVA, of_the_twin))
    assert judged(Child("LCS-2", "Bea Testchild", BORN), of_the_twin) is None


def test_a_namesake_with_another_birth_date_is_told_apart() -> None:
    namesake = Child("LCS-7", "Ava Testchild", dt.date(2010, 1, 2))
    assert judged(AVA, page(), others=(namesake,)) is None
    assert mismatch(judged(namesake, page(), others=(AVA,)))


def test_a_upn_in_the_pdf_is_held_against_the_card() -> None:
    ava = Child("LCS-1001", "Ava Testchild", BORN, "A123456789012")
    assert judged(ava, page(more="UPN A123456789012")) is None
    assert judged(ava, page(more="UPN: A123 4567 89012")) is None
    assert judged(ava, page()) is None
    assert "UPN" in mismatch(judged(ava, page(more="UPN B123456789012")))
    assert judged(ava, page(more="Document B202611040001")) is None
    assert "more than one UPN" in doubt(judged(ava, page(more="UPN A123456789012, UPN B123456789012")))


def test_an_lcs_number_in_the_pdf_is_held_against_the_card() -> None:
    assert judged(AVA, page(more="LCS number: LCS-1001")) is None
    assert "LCS number" in mismatch(judged(AVA, page(more="LCS ID: LCS-1002")))
    assert "LCS number" in mismatch(judged(Child("900005", "Ava Testchild", BORN), page(more="Liquidlogic ID 900006")))
    assert judged(AVA, page(more="Uploaded to LCS on 12/11/2026. Social care visited 12 times.")) is None


def test_the_number_of_another_child_of_the_list_is_a_doubt() -> None:
    assert doubt(judged(AVA, page(more="see LCS-1002"), others=(Child("LCS-1002"),)))


def test_a_number_alone_is_enough_where_it_cannot_be_anything_else() -> None:
    assert judged(Child("LCS-1001"), page(more="LCS-1001")) is None
    assert judged(Child("900005"), page(more="LCS number: 900005")) is None
    assert judged(Child("L1", upn="A123456789012"), page(more="UPN A123456789012")) is None
    assert "too little" in doubt(judged(Child("900005"), page(more="telephone 01632 900005")))


@pytest.mark.parametrize("child", [Child("L1"), Child("L1", "Ava Testchild"), Child("L1", "", BORN)])
def test_a_card_with_too_little_to_compare_is_a_doubt(child: Child) -> None:
    assert "too little" in doubt(judged(child, page()))


@pytest.mark.parametrize(
    "text",
    ["", "Page 1", "\ue001\ue002\ue003 \ue004\ue005 " * 40, "3HUVRQDO (GXFDWLRQ 3ODQ QDPH $YD 7HVWFKLOG xqzv " * 20],
    ids=["empty", "a footer", "private signs", "shifted letters"],
)
def test_a_text_that_cannot_be_read_is_a_doubt(text: str) -> None:
    assert "cannot be read" in doubt(judged(AVA, text))


def test_a_page_that_cannot_be_read_among_others_is_a_doubt() -> None:
    assert "page 2 cannot be read" in doubt(judged(AVA, page(), "", pictures=(2,)))


def test_a_name_that_nobody_sees_names_no_child() -> None:
    elsewhere = page("see the cover", "not given here")
    assert mismatch(judged(AVA, elsewhere, unseen="Ava Testchild 12/03/2014"))


def test_no_answer_repeats_who_the_child_is() -> None:
    answers = [
        judged(AVA, page("Ben Testchild"), others=(BEN,)),
        judged(AVA, page(more="Ben Testchild"), others=(BEN,)),
    ]
    for answer in answers:
        assert answer is not None
        assert not any(word in answer.why for word in ("Ava", "Ben", "Testchild", "2014"))


def test_a_long_text_and_a_long_list_are_compared_in_little_time() -> None:
    others = tuple(Child(f"LCS-{n}", f"Given{n} Family{n}", dt.date(2010, 1, 1)) for n in range(2000, 2400))
    assert judged(AVA, *[page()] * 500, others=others) is None
