"""Until when the record of a child is kept, wherever somebody asks: in the check as in the manifest."""

from datetime import date

from pepforms import days
from pepforms.model import Pep

OF_AGE = 18
YEARS_AFTER_DEATH = 15
"""How long the record of a child who died before 18 is kept."""


def kept_until(pep: Pep, years: int) -> date | None:
    """The birthday until which a record is kept, or 15 years after the death of a child who died before 18.

    `years` is the profile's, 75 by law (Care Planning, Placement and Case Review (England) Regulations 2010,
    regulation 50). An anniversary of 29 February is 1 March where the year has none. None where the date of birth is
    not known: nobody can say then, and nothing is thrown away by a guess.
    """
    born, died = days.said(pep, "child", "date_of_birth"), days.said(pep, "follow_up", "died_on")
    if born is None:
        return None
    if died and died < days.years_later(born, OF_AGE):
        return days.years_later(died, YEARS_AFTER_DEATH)
    return days.years_later(born, years)
