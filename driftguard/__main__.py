"""``python -m driftguard`` is the ``driftguard`` command."""

from driftguard.cli import main

if __name__ == "__main__":
    main()
