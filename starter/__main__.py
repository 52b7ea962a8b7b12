"""python -m starter: the command line where no script is installed, as in the image."""

from starter.cli import main

main()
