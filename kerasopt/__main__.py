"""`python -m kerasopt` is the command `kerasopt`."""

from kerasopt.cli.main import main

if __name__ == "__main__":
    main(prog_name="kerasopt")
