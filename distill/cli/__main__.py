"""`python -m distill.cli`: the same as `distill`."""

from distill.cli.app import main

main()
