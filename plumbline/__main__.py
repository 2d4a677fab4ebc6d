"""`python -m plumbline`: the same as `plumbline`, even if the package is not installed (.venv/inspect, a clone)."""

from plumbline.commands.main import main

main()
