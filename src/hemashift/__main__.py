"""`python -m hemashift`: the command line, where the command itself is not on the path."""

from hemashift.cli.main import run

if __name__ == "__main__":
    run()
