"""`python -m pickgate.cli`."""

from pickgate.cli import main

main()
