"""AWS::EC2::InternetGateway: nothing but the gateway itself; attachments are resources of their own."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    """
)

SHAPE = Shape(
    type="AWS::EC2::InternetGateway",
    coverage=COVERAGE,
)
