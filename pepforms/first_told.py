"""What a child should hear from somebody before they read it in a document: such words hold the child's copy.

The words are data (`schemas/plain-words.toml`); they are looked for in what others wrote, as the document prints it.
What the child said is the child's own.
"""

from pepforms import written
from pepforms.audience import Copy
from pepforms.errors import Refused
from pepforms.fill import plain
from pepforms.leaks import not_accepted
from pepforms.letters import words_of
from pepforms.model import Fact, Problem
from pepforms.said import in_word

_OWN = ("/views/child/", "/people/", "/education/settings/")
"""What the child said, and names: nobody else's news. How the child was asked is others' words."""
_OTHERS = frozenset({"/views/child/method", "/views/child/translated_by", "/education/settings/*/course"})


def look(copy: Copy, docx: bytes) -> None:
    """Refused (slug `first-told`) where a child's document prints such words about which nobody has decided."""
    others = (fact for fact in copy.shown if _is_others(fact))
    places = _printed([fact for fact in others if plain.is_first_told(not_accepted(copy, fact))], docx)
    if places:
        raise Refused(
            f"This copy is not made: {len(places)} place{'s' * (len(places) > 1)} in it would tell the child what "
            "somebody they trust should tell them first.",
            slug="first-told",
            problems=tuple(map(_problem, places)),
        )


def _is_others(fact: Fact) -> bool:
    return fact.field in _OTHERS or not fact.field.startswith(_OWN)


def _printed(facts: list[Fact], docx: bytes) -> list[Fact]:
    """Those of the facts whose words stand in a Word file."""
    said = _words("\n".join(each.text for each in in_word(docx))) if facts else ""
    return [fact for fact in facts if _words(written.plain(fact.value)) in said]


def _words(text: str) -> str:
    return f" {' '.join(words_of(text))} "


def _problem(fact: Fact) -> Problem:
    return Problem(
        slug="first-told",
        severity="blocks",
        pointer=fact.pointer,
        message=f"“{fact.title}” says what a child should not first read in a document. Say it in other words with the "
        "child’s worker, leave it out, or let it stand once the child has been told, under distribution, decisions.",
        source="Who sees what",
    )
