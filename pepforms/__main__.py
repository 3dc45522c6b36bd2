"""`python -m pepforms` is the program `pepforms`."""

from pepforms.cli import main

main()
