"""`python -m distill.cli`: the same as `distill`."""

from distill.cli.program import main

main()
