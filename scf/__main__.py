"""``python -m scf`` is the command line."""

from scf.cli import main

main()
