"""AWS::QLDB::Ledger: what DescribeLedger answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("DeletionProtection Name")

SHAPE = Shape(
    type="AWS::QLDB::Ledger",
    coverage=COVERAGE,
    rename={
        "Name": "ledgerName",
    },
)
