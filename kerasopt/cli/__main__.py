"""`python -m kerasopt.cli`, where the command itself is not on the path."""

from kerasopt.cli.main import main

if __name__ == "__main__":
    main(prog_name="kerasopt")
