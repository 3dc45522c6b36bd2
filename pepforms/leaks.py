"""Nothing leaked: every withheld value is looked for again, in all that a copy says and in all that it hides.

A value is looked for in every way it may be written (`written.py`). Where the child's home is hidden from the reader,
its parts count too: a first name, a town, the domain of an e-mail address, a dialling code. Words are matched whole.
What is found is told by field and place, never by value.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pepforms import vocabulary, written
from pepforms.audience import Copy
from pepforms.errors import Refused
from pepforms.letters import BREAK, Text, words_of
from pepforms.matching import Form, Forms, spaced
from pepforms.model import Fact, Problem
from pepforms.said import BETWEEN, BODY, in_pdf, in_word

_OF_WORK = frozenset(
    {
        "/people/*/organisation", "/people/*/covers", "/meeting/venue", "/meeting/attendees/*/covers",
        "/sign_offs/*/at", "/sign_offs/*/method", "/transition/support",
    }
)  # fmt: skip
"""What tells nothing by itself as long as the child's home need not be hidden: where and with whom people work."""
_ADDRESS = "/care/placement/address"
_UNTELLING = frozenset(
    {
        "/actions/*/due", "/previous_spend/*/spent", "/education/attainment/*/method", "/education/attainment/*/date",
        "/education/attainment/*/prior", "/education/attainment/*/current", "/education/attainment/*/predicted",
        "/views/carer/date", "/views/parent/*/date", "/distribution/*/sent", "/distribution/*/channel",
        "/pupil_premium_plus/lines/*/date", "/education/sen/ehcp/issued", "/child/first_language", "/people/*/relation",
        "/targets/*/need", "/targets/*/baseline", "/previous_targets/*/evidence", "/education/needs/barriers/*",
        *(f"/distribution/*/decisions/*/{name}" for name in ("pointer", "about", "words", "reason", "on")),
    }
)  # fmt: skip
"""What is withheld to keep a copy plain and short: its words may be said elsewhere in their own right."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in a copy: each written form, with the withheld facts that it would tell."""

    forms: Mapping[Form, tuple[Fact, ...]]
    copy: Copy

    def through(self, docx: bytes, pdf: bytes | None = None) -> None:
        """Refused (slug `leak`) where a Word file, or the PDF made of it, says something withheld, seen or unseen."""
        if not self.forms:  # the full copy
            return
        sought, hits = Forms(self.forms), dict[Form, list[str]]()
        for said in itertools.chain(in_word(docx), in_pdf(pdf) if pdf else ()):
            for form in set(sought.found_in(Text(said.text))):
                hits.setdefault(form, []).append(said.where)
        if hits:
            raise _leak(self, hits)


def search(copy: Copy, open_words: str) -> Search:
    """What to look for in a copy; `open_words` are what the document says of itself, to every reader.

    Where the child's home is hidden, a part of a name, a place or an address counts as well as the whole. What a named
    person lets stand as not identifying is not looked for, as far as it stands nowhere else.
    """
    new_words = {fact.pointer: fact.value for fact in (*copy.shown, *copy.of_others)}
    wanted: dict[Form, list[Fact]] = {}
    for fact in _telling(copy):
        forms = dict.fromkeys(written.forms(fact, parts=copy.hides_home))
        if fact.pointer in new_words:
            for form in _said_in(written.plain(new_words[fact.pointer]), forms):
                del forms[form]
        for form in forms:
            wanted.setdefault(form, []).append(fact)
    known = _open(copy) | _said_in(open_words, wanted)
    for form in [form for form in wanted if form in known]:
        facts = wanted.pop(form)
        for town in _as_town(form, facts) if copy.hides_home else ():
            wanted.setdefault(town, []).extend(facts)
    for form in _said_in(open_words, wanted):
        del wanted[form]
    for form in _let_stand(copy, wanted):
        del wanted[form]
    return Search({form: tuple(facts) for form, facts in wanted.items()}, copy)


def _as_town(form: Form, facts: list[Fact]) -> Iterator[Form]:
    """What says that somebody lives in a place whose name alone everybody may read, as in a letterhead."""
    if len(form.words) == 1 and any(fact.field in {*written.PLACES, _ADDRESS} for fact in facts):
        yield from (spaced(phrase.format(*form.words)) for phrase in vocabulary.phrases("in_town"))


def _open(copy: Copy) -> frozenset[Form]:
    """What is no secret, since a fact says it that is shown, here or in the reader's whole copy."""
    shown = [fact for fact in (*copy.shown, *copy.of_others) if _is_open(fact, copy.hides_home)]
    forms = [
        form
        for fact in shown
        for form in written.forms(fact, parts=True)
        if fact.field not in written.PEOPLE or form.how in ("free", "named")  # Mr P is more than one
    ]
    as_authorities = (form._replace(how="authority") for form in forms if form.how == "free" and len(form.words) == 1)
    withheld = {fact.value for fact in copy.left_out if isinstance(fact.value, str)}
    same_days = (form for fact in shown for form in written.days(fact) if fact.value in withheld)
    return frozenset((*forms, *as_authorities, *same_days))


def _telling(copy: Copy) -> Iterator[Fact]:
    """The withheld facts that are looked for; where a carer works is who provides the placement."""
    roles = {fact.pointer: fact.value for fact in (*copy.shown, *copy.left_out) if fact.field == "/people/*/role"}
    for fact in copy.left_out:
        of_carer = roles.get(fact.pointer.removesuffix("organisation") + "role") == "carer"
        if fact.field not in _UNTELLING and (copy.hides_home or of_carer or fact.field not in _OF_WORK):
            yield fact


def _let_stand(copy: Copy, forms: Iterable[Form]) -> set[Form]:
    """The forms that a named person lets stand, and that no other words say."""
    accepted = BREAK.join(_accepted(copy, fact) for fact in copy.shown)
    found = _said_in(accepted, forms)
    return found - _said_in(BREAK.join(not_accepted(copy, fact) for fact in copy.shown), found) if found else found


def _accepted(copy: Copy, fact: Fact) -> str:
    """The words of a fact that a named person lets stand."""
    return BREAK.join(copy.accepted.get(fact.pointer, ()))


def not_accepted(copy: Copy, fact: Fact) -> str:
    """What a fact that is shown says beyond what a named person lets stand of it."""
    words = written.plain(fact.value)
    for accepted in copy.accepted.get(fact.pointer, ()):
        words = Text(words).without(words_of(accepted))
    return words


def _said_in(words: str, forms: Iterable[Form]) -> set[Form]:
    return set(Forms(forms).found_in(Text(words)))


def _leak(search: Search, hits: Mapping[Form, list[str]]) -> Refused:
    """The refusal: each withheld field once, where it stands, and in which field's words."""
    problems: dict[tuple[str, str], Problem] = {}
    sources: dict[Form, list[tuple[str, str]]] = {}
    for each in search.copy.shown:
        for form in _said_in(not_accepted(search.copy, each), hits):
            sources.setdefault(form, []).append((each.pointer, f"in the words of “{each.title}”"))
    for form, places in hits.items():
        fact = search.forms[form][0]
        for pointer, words in sources.get(form) or [(fact.pointer, "in what the template or the program says")]:
            problem = _problem(fact, pointer, f"{_listed(places)}, {words}")
            problems.setdefault((fact.field, pointer), problem)
    count = f"{len(problems)} place" if len(problems) == 1 else f"{len(problems)} places"
    return Refused(
        f"This copy is not made: {count} in it would tell its reader what they may not see.",
        slug="leak",
        problems=tuple(problems.values()),
    )


def _problem(fact: Fact, pointer: str, where: str) -> Problem:
    return Problem(
        slug="leak",
        severity="blocks",
        pointer=pointer,
        message=f"This copy would tell “{fact.title}”: {where}. Leave the words out, say them in other words, or "
        "record why they are safe, under distribution, decisions.",
        source="Who sees what",
    )


def _listed(places: list[str]) -> str:
    """The places, those on pages before and instead of the text that the pages were made of."""
    on_pages = [place for place in places if place.startswith("on page")]
    others = [place for place in places if place not in on_pages and not (on_pages and place in (BODY, BETWEEN))]
    return ", ".join(dict.fromkeys([*on_pages, *others]))


def _is_open(fact: Fact, home_hidden: bool) -> bool:
    """Whether a fact that is shown is no secret elsewhere: a person who is named, a day, a sum, a school.

    Where the home is hidden, a place that is shown may be the very one that must not be.
    """
    field = written.field_of(fact)
    if fact.field in written.PLACES or fact.field == written.ADDRESS:
        return not home_hidden
    return fact.field in written.PEOPLE or bool(field and (field.format or field.codes or field.labels))
