"""The ledger of Pupil Premium Plus: to the penny, each PEP once, each stream apart."""

import copy
import csv
import io
import itertools
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepforms import profile, resources, settings
from pepforms.caseload import ledger
from pepforms.caseload.ledger import Account, Sums, Told
from pepforms.caseload.statements import FORM, statement
from pepforms.model import Pep
from pepforms.register import peps
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.text import pdf
from pepforms.wiring import Wiring

SAMPLES = resources.folder("samples") / "valid"
HILLINGDON = profile.load("hillingdon")
YEAR = "2026-27"


def sample(name: str) -> Pep:
    pep: Pep = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return pep


SIGNED = sample("year-5-review")  # £700 left of £1,200; lines of £320.00, £64.99 and £135.00


def grant(left: str | None = None, *costs: str, basis: str | None = None, **more: Any) -> dict[str, Any]:
    lines = [{"id": f"L{number}", "cost": cost} for number, cost in enumerate(costs, 1)]
    given = {"financial_year": YEAR, "stream": "school_age", "lines": lines, **more}
    given |= {"allocation": left} if left is not None else {}
    return given | ({"allocation_basis": {"amount": basis}} if basis else {})


def told(about: dict[str, Any], *since: dict[str, Any], number: int = 1, following: Pep | None = None) -> Told:
    head = {"id": f"PEP-{number}", "version": 1}
    return Told({"pep": head, "pupil_premium_plus": about}, signed=True, since=since, following=following)


def account(*each: Told) -> Account:
    return ledger.account("900005", "O.M.", each)


def spend(*rows: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
    return {"spend": [dict(zip(("line_id", "spent", "impact"), row, strict=False)) for row in rows]}


# --- the rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told_by_each", "allotted", "notes"),
    [
        ([grant("900.00", "300.00")], "900.00", 0),
        ([grant("700.00", basis="1200.00")], "1200.00", 0),
        ([grant("900.00", "300.00"), grant("600.00", "100.00")], "900.00", 0),  # what is left of the same
        ([grant("900.00", "300.00"), grant("900.00")], "900.00", 1),  # the same told again
        ([grant("900.00"), grant("900.00")], "900.00", 0),
        ([grant("900.00", "300.00"), grant("800.00")], "1100.00", 1),  # £200 more than was left: the sum was raised
        ([grant("900.00", "300.00"), grant("900.00", basis="1200.00")], "1200.00", 1),
        ([grant("1200.00", basis="1200.00"), grant(None, "10.00")], "1200.00", 0),
        ([grant(None, "10.00")], "0.00", 1),
        # More than the allocation was approved and committed: the allocation was drawn whole, and no more than that.
        ([grant("900.00", "1025.65", approvals=[{"id": "A", "amount": "150.00"}]), grant("0.00")], "900.00", 0),
        ([grant("500.00", "100.00", "-40.00"), grant("440.00")], "500.00", 0),
    ],
)
def test_the_years_sum_is_told_by_the_newest_pep_and_never_added_up(
    told_by_each: list[dict[str, Any]], allotted: str, notes: int
) -> None:
    found = account(*(told(about, number=number) for number, about in enumerate(told_by_each)))
    assert found.sums.allotted == Decimal(allotted)
    assert len(found.notes) == notes


def test_lines_are_committed_and_refunds_taken_off() -> None:
    sums = account(told(grant("500.00", "360.00", "42.50", "-55.00"))).sums
    assert (sums.committed, sums.refunds) == (Decimal("347.50"), Decimal("55.00"))


def test_approvals_count_once_by_their_reference_the_last_word_counts() -> None:
    about = grant("0.00", approvals=[{"id": "A", "amount": "100.00"}, {"id": "B", "amount": "50.00"}])
    since = {"approvals": [{"id": "B", "amount": "60.00"}, {"id": "C", "amount": "0.55"}]}
    assert account(told(about, since)).sums.approved == Decimal("160.55")


def test_payments_on_a_line_are_added_and_one_that_says_what_it_changed_is_enough() -> None:
    since = spend(("L1", "10.10"), ("L1", "20.20", "Reads aloud"), ("L2", "5.00"))
    sums = account(told(grant("100.00", "30.30", "6.00"), since)).sums
    assert (sums.with_impact, sums.without_impact) == (Decimal("30.30"), Decimal("5.00"))
    assert (sums.spent, sums.unspent) == (Decimal("35.30"), Decimal("64.70"))


def test_what_came_back_on_a_refund_is_taken_off_what_was_spent() -> None:
    sums = account(told(grant("100.00", "60.00", "-20.00"), spend(("L1", "60.00"), ("L2", "20.00")))).sums
    assert (sums.spent, sums.returned, sums.unspent) == (Decimal("40.00"), Decimal("20.00"), Decimal("60.00"))


def test_an_older_versions_follow_up_counts_for_lines_of_which_the_newer_says_nothing() -> None:
    newer, older = spend(("L1", "9.00")), spend(("L1", "8.00", "Much"), ("L2", "7.00"))
    assert account(told(grant("100.00", "9.00", "7.00"), newer, older)).sums.spent == Decimal("16.00")


def test_the_next_pep_tells_of_lines_of_which_the_follow_up_says_nothing() -> None:
    rows = [
        {"line_id": "L1", "spent": "1.00"},
        {"line_id": "L2", "spent": "7.00", "impact": "Swims"},
        {"line_id": "L3"},
        {"line_id": "of-another-term", "spent": "99.00"},
    ]
    about = told(grant("100.00", "9.00", "7.00", "5.00"), spend(("L1", "9.00")), following={"previous_spend": rows})
    sums = account(about).sums
    assert (sums.with_impact, sums.without_impact) == (Decimal("7.00"), Decimal("9.00"))


def test_what_a_person_should_look_at_is_said() -> None:
    notes = account(told(grant("10.00", "20.00"), spend(("L1", "20.00")))).notes
    assert notes == (
        "More is committed than was allotted and approved.",
        "More was spent than was allotted and approved.",
    )


# --- the sums agree --------------------------------------------------------------------------------------------------

PENCE = st.integers(0, 200_000)


def pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02}"


@st.composite
def years(draw: st.DrawFn) -> tuple[list[Told], dict[str, int]]:
    """The PEPs of a child's year, which tell of one allocation truly, and what they come to in pence."""
    allocation = left = draw(PENCE)
    expected = dict.fromkeys(("approved", "committed", "refunds", "with_impact", "without_impact", "returned"), 0)
    found = []
    for number in range(draw(st.integers(1, 4))):
        costs = draw(st.lists(st.one_of(st.integers(0, left), st.integers(-5_000, -1)), max_size=4))
        approved = draw(st.lists(PENCE, max_size=2))
        about = grant(
            pounds(left),
            *map(pounds, costs),
            basis=pounds(allocation) if draw(st.booleans()) else None,
            approvals=[{"id": f"A{at}", "amount": pounds(pence)} for at, pence in enumerate(approved)],
        )
        payments = []
        for at, cost in enumerate(costs, 1):
            paid = draw(st.lists(PENCE, max_size=2))
            impact = bool(paid) and draw(st.booleans())
            payments += [{"line_id": f"L{at}", "spent": pounds(each)} for each in paid]
            if impact:
                payments[-1]["impact"] = "Reads aloud"
            kind = "returned" if cost < 0 else "with_impact" if impact else "without_impact"
            expected[kind] += sum(paid)
        found.append(told(about, {"spend": payments}, number=number))
        expected["approved"] += sum(approved)
        expected["committed"] += sum(costs)
        expected["refunds"] -= sum(cost for cost in costs if cost < 0)
        left -= min(max(sum(costs), 0), left)
    return found, {"allotted": allocation, **expected}


def in_pence(sums: Sums, name: str) -> int:
    value: Decimal = getattr(sums, name)
    assert value == value.quantize(Decimal("0.01"))
    return int(value * 100)


@given(years())
def test_an_account_comes_to_what_its_peps_say_to_the_penny(year: tuple[list[Told], dict[str, int]]) -> None:
    peps_of_year, expected = year
    sums = account(*peps_of_year).sums
    lefts = [each.grant["allocation"] for each in peps_of_year]
    repeated = len(set(lefts)) < len(lefts)  # then nobody can tell a sum from the same sum told again
    assert {name: in_pence(sums, name) for name in expected if name != "allotted"} == {
        name: pence for name, pence in expected.items() if name != "allotted"
    }
    if not repeated:
        assert in_pence(sums, "allotted") == expected["allotted"]
    assert sums.spent == sums.with_impact + sums.without_impact - sums.returned
    assert sums.unspent == sums.allotted + sums.approved - sums.spent


@given(st.lists(years(), min_size=1, max_size=5))
def test_the_children_come_to_the_total_and_the_streams_too(children: list[tuple[list[Told], Any]]) -> None:
    streams = itertools.cycle(("early_years", "school_age", "post_16"))
    accounts = []
    for (peps_of_year, _), stream in zip(children, streams, strict=False):
        for each in peps_of_year:
            each.pep["pupil_premium_plus"]["stream"] = stream
        accounts.append(account(*peps_of_year))
    total, parts = ledger.total(accounts), ledger.by_stream(accounts)
    for name in ledger.COLUMNS:
        assert getattr(total, name) == sum(getattr(each.sums, name) for each in accounts)
        assert getattr(total, name) == sum(getattr(sums, name) for sums in parts.values())


@given(years())
def test_a_pep_that_tells_the_same_allocation_again_adds_none(year: tuple[list[Told], Any]) -> None:
    found, _ = year
    once = account(*found).sums.allotted
    last = found[-1].grant
    again = grant(None, basis=pounds(int(once * 100)))
    assert account(*found, told(again, number=9)).sums.allotted == once
    assert (
        account(found[-1], told(grant(last["allocation"]), number=9)).sums.allotted == account(found[-1]).sums.allotted
    )


# --- from the register -----------------------------------------------------------------------------------------------


def keep(register: Register, pep: Pep) -> None:
    peps.keep(register, pep, HILLINGDON, by="officer")


def accounts(register: Register, year: str = YEAR) -> list[Account]:
    with register.reading() as session:
        return ledger.accounts(session, year)


def later(pep: Pep, **grant_: Any) -> Pep:
    """The child's PEP of the spring term."""
    other = copy.deepcopy(pep)
    other["pep"] |= {"id": "PEP-LATER", "term": "spring"}
    other["meeting"]["date"] = "2027-02-09"
    other["pupil_premium_plus"] |= grant_
    return {key: value for key, value in other.items() if key not in ("sign_offs", "follow_up")}


def test_the_register_gives_each_childs_money_from_the_newest_version_and_what_was_told_since(
    register: Register,
) -> None:
    keep(register, SIGNED)
    keep(register, {**SIGNED, "follow_up": spend(("L1", "310.00", "Reads aloud"))})
    (found,) = accounts(register)
    assert (found.child, found.initials, found.school.urn) == ("900005", "O.M.", "999805")
    sums = found.sums
    assert (sums.allotted, sums.committed, sums.spent) == tuple(map(Decimal, ("1200.00", "519.99", "310.00")))
    second = copy.deepcopy(SIGNED)
    second["pep"]["version"], second["pupil_premium_plus"]["lines"][0]["cost"] = 2, "300.00"
    second["pupil_premium_plus"]["lines"][0]["rate"] = "25.00"
    keep(register, {key: value for key, value in second.items() if key != "sign_offs"})
    (found,) = accounts(register)
    assert (found.sums.committed, found.sums.drafts) == (Decimal("499.99"), Decimal("499.99"))
    assert (found.sums.spent, found.peps) == (Decimal("310.00"), ("PEP-0005-A26 version 2",))
    assert accounts(register, "2025-26") == []


def test_several_peps_of_a_year_make_one_account_a_stream_and_other_years_none(register: Register) -> None:
    keep(register, SIGNED)
    keep(register, later(SIGNED, allocation="180.01", allocation_basis={"amount": "1200.00"}))
    (found,) = accounts(register)
    assert (found.sums.allotted, found.sums.committed) == (Decimal("1200.00"), Decimal("1039.98"))
    keep(register, later(SIGNED, stream="post_16"))
    assert [(each.stream, each.sums.committed) for each in accounts(register)] == [
        ("post_16", Decimal("519.99")),
        ("school_age", Decimal("519.99")),
    ]
    keep(register, later(SIGNED, financial_year="2027-28"))
    assert [each.sums.committed for each in accounts(register)] == [Decimal("519.99")]


def test_a_child_whose_number_was_joined_has_one_account(register: Register) -> None:
    keep(register, SIGNED)
    other = later(SIGNED)
    other["child"] |= {"lcs_person_id": "900099", "former_lcs_person_id": "900005"}
    keep(register, other)
    assert [each.child for each in accounts(register)] == ["900099"]


def test_the_command_gives_text_json_and_csv_that_agree(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    for name in ("year-9-dual-roll", "year-11-leaver", "college-esol"):
        keep(register, sample(name))
    register.close()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PEPFORMS_HOME": str(tmp_path)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        program = [Path(sys.executable).with_name("pepforms"), "ledger", "--year", *words]
        return subprocess.run(program, env={**environment, "LANG": "C.UTF-8"}, capture_output=True, text=True)

    as_json = json.loads(run(YEAR, "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(run(YEAR, "--format", "csv").stdout)))
    for name in ledger.COLUMNS:
        assert sum(Decimal(row[name]) for row in rows) == Decimal(as_json["total"][name])
    text = run(YEAR, "--school", "999801").stdout
    assert text.splitlines()[0] == "School age, 2026-27"
    assert text.splitlines()[2].split()[:5] == ["900011", "B.E.", "£250.00", "£0.00", "£210.00"]
    assert text.splitlines()[3].startswith("1 child ")
    wrong = run("2026-28", "--child", "900011")
    assert (wrong.returncode, "a financial year" in wrong.stderr) == (64, True)


def test_a_pep_with_costs_and_no_financial_year_is_told_of(register: Register) -> None:
    keep(register, SIGNED)
    costed, bare = later(SIGNED), later(SIGNED, lines=[])
    bare["pep"]["id"] = "PEP-BARE"
    for pep in (costed, bare):
        del pep["pupil_premium_plus"]["financial_year"]
        keep(register, pep)
    with register.reading() as session:
        assert ledger.without_a_year(session) == ["PEP-LATER version 1"]


def run_ledger(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PEPFORMS_HOME": str(home), "LANG": "C.UTF-8"}
    program = [Path(sys.executable).with_name("pepforms"), "ledger", "--year", YEAR, *words]
    return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=300)


def test_an_empty_ledger_says_of_whom_nothing_is_known_and_makes_no_folder(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    keep(register, SIGNED)
    undated = later(SIGNED)
    del undated["pupil_premium_plus"]["financial_year"]
    keep(register, undated)
    register.close()
    done = run_ledger(tmp_path, "--child", "nosuch", "--statements", str(tmp_path / "out"))
    assert done.stdout == (
        "The register knows of no Pupil Premium Plus of 2026-27 for the LCS number nosuch. Is the number right?\n"
    )
    assert "in no ledger until it is given: 1 (PEP-LATER version 1)" in done.stderr
    assert (done.returncode, (tmp_path / "out").exists()) == (0, False)
    done = run_ledger(tmp_path, "--school", "100001", "--format", "json")
    assert (json.loads(done.stdout)["results"], "no child at the URN 100001" in done.stderr) == ([], True)


def test_a_child_of_two_streams_gets_two_statements(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    other = later(SIGNED, stream="early_years")
    other["pep"]["term"], other["meeting"]["date"] = SIGNED["pep"]["term"], "2026-11-24"
    for pep in (SIGNED, other):
        keep(register, pep)
    register.close()
    done = run_ledger(tmp_path, "--statements", str(tmp_path / "out"), "--force")
    assert (done.returncode, done.stderr.count(".pdf")) == (0, 2), done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "900005_pp-plus-statement_authority_2026-27_AUT_v1_PEP-0005-A26.pdf",
        "900005_pp-plus-statement_authority_2026-27_AUT_v1_PEP-LATER.pdf",
    }


def test_a_statement_tells_what_all_peps_of_the_year_come_to(tmp_path: Path) -> None:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path)}))
    keep(wiring.register, {**SIGNED, "follow_up": spend(("L1", "310.00", "Reads aloud"))})
    keep(wiring.register, later(SIGNED, lines=SIGNED["pupil_premium_plus"]["lines"][:1]))
    (found,) = accounts(wiring.register)
    made = statement(found, YEAR, wiring.register, wiring.form(FORM), wiring)
    assert made.name == "900005_pp-plus-statement_authority_2026-27_SPR_v1_PEP-LATER.pdf"
    said = " ".join(pdf.seen(made.data)[0].split() + pdf.seen(made.data)[1].split())
    assert "The financial year 2026-27, all PEPs together" in said
    for what, sums in (("Promised", found.sums.committed), ("told what it changed", found.sums.with_impact)):
        assert f"{what} £{sums:,.2f}" in said
    assert f"Unspent £{found.sums.unspent:,.2f}" in said
    assert "Added up from PEP-0005-A26 version 1, PEP-LATER version 1." in said
    wiring.register.close()
