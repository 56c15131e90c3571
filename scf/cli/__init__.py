"""The command line: every act of the platform for people at a terminal and for scripts.

Owns arguments, printing and exit codes; each command opens the platform, runs one command of a
slice and prints the answer. Exit codes: 0 done, 1 findings or a refusal, 2 usage, 3 unavailable.
"""

from scf.cli.main import main

__all__ = ["main"]
